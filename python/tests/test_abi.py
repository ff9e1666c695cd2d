"""The ctypes declarations against the header, by the C compiler: no struct may drift."""

import ctypes
import os
import re
import shutil
import subprocess
import unittest

import amortune
from amortune import _abi, _library, _prototypes

from .problem import ROOT, ScratchCase

HEADER = ROOT / "include" / "amortune.h"


def structs():
    return [
        kind for kind in vars(_abi).values()
        if isinstance(kind, type) and issubclass(kind, ctypes.Structure)
        and kind.__module__ == _abi.__name__
    ]


def layout():
    """Every struct's size, and offset and size of every field, as Python has them."""
    lines = []
    for kind in structs():
        lines.append(f"{kind.__name__} {ctypes.sizeof(kind)}")
        for name, _ in kind._fields_:
            field = getattr(kind, name)
            lines.append(f"{kind.__name__}.{name} {field.offset} {field.size}")
    return lines


def kind_of(parameter):
    """The ctypes type for a result or parameter of a prototype: "const am_error *err"."""
    words = re.findall(r"\w+|\*", parameter.replace("const", ""))
    kind, stars = words[0], words.count("*")
    if kind in ("am_device", "am_dataset", "am_model"):  # opaque
        return ctypes.c_void_p if stars == 1 else ctypes.POINTER(ctypes.c_void_p)
    if (kind, stars) == ("char", 1):
        return ctypes.c_char_p
    scalars = {
        "void": None, "int": ctypes.c_int, "am_status": ctypes.c_int, "double": ctypes.c_double,
        "float": ctypes.c_float, "size_t": ctypes.c_size_t, "int64_t": ctypes.c_int64,
        "uint32_t": ctypes.c_uint32,
    }
    base = scalars[kind] if kind in scalars else getattr(_abi, kind)
    return ctypes.POINTER(base) if stars else base


def c_program():
    """A C program that prints the same from the header."""
    lines = ["#include <amortune.h>", "#include <stdio.h>", "int main(void) {"]
    for kind in structs():
        name = kind.__name__
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        for field, _ in kind._fields_:
            where = f"offsetof({name}, {field}), sizeof((({name} *)0)->{field})"
            lines.append(f'printf("{name}.{field} %zu %zu\\n", {where});')
    return "\n".join([*lines, "return 0; }"])


@unittest.skipUnless(HEADER.exists(), "no checkout: include/amortune.h is not there")
class Abi(ScratchCase):
    def compile(self, text, *flags):
        compiler = os.environ.get("CC") or shutil.which("cc")
        if not compiler:
            self.skipTest("no C compiler")
        source, binary = self.folder / "abi.c", self.folder / "abi"
        source.write_text(text)
        subprocess.run(
            [compiler, "-std=c17", "-Werror", f"-I{HEADER.parent}", *flags, str(source), "-o", str(binary)],
            check=True,
        )
        return binary

    def test_every_struct_is_laid_out_as_in_c(self):
        binary = self.compile(c_program())
        printed = subprocess.run([str(binary)], check=True, capture_output=True, text=True)
        self.assertEqual(printed.stdout.splitlines(), layout())

    def test_no_field_of_a_struct_is_left_out(self):
        text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
        for kind in structs():
            body = re.search(rf"typedef struct {kind.__name__} {{(.*?)}} {kind.__name__};", text, re.S)
            declared = []
            for statement in body.group(1).split(";"):
                parts = statement.split(",")
                declared += [re.search(r"(\w+)\s*(\[\w+\])?\s*$", p).group(1) for p in parts if p.strip()]
            self.assertEqual(declared, [name for name, _ in kind._fields_], kind.__name__)

    def test_numbers_of_the_enums(self):
        names = [n for n in vars(_abi) if re.fullmatch(r"AM_[A-Z_]+", n)]
        self.assertIn("AM_ERR_INTERNAL", names)
        lines = [f'printf("{n} %d\\n", (int){n});' for n in names]
        binary = self.compile(
            "#include <amortune.h>\n#include <stdio.h>\nint main(void) {" + "\n".join(lines) + "}"
        )
        printed = subprocess.run([str(binary)], check=True, capture_output=True, text=True).stdout
        self.assertEqual(printed.splitlines(), [f"{n} {getattr(_abi, n)}" for n in names])

    def test_every_function_has_the_arguments_of_the_header(self):
        text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
        prototypes = re.findall(r"AM_API\s+([\w ]+?[ *]+)(am_\w+)\((.*?)\);", text, re.S)
        declared = {
            name: (kind_of(result), *(kind_of(p) for p in parameters.split(",") if p.strip() != "void"))
            for result, name, parameters in prototypes
        }
        self.assertGreater(len(declared), 30)
        self.assertEqual(declared, _prototypes.FUNCTIONS)

    def test_versions_agree(self):
        declared = re.search(r'#define AM_VERSION "(.*)"', HEADER.read_text()).group(1)
        project = re.search(r'version = "(.*)"', (ROOT / "python" / "pyproject.toml").read_text()).group(1)
        self.assertEqual(amortune.__version__, declared)
        self.assertEqual(project, declared)
        self.assertEqual(_library.library().am_version().decode(), declared)


if __name__ == "__main__":
    unittest.main()
