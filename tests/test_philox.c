/* Philox4x32-10 against the published known answers of Random123 (kat_vectors). */
#include "draw/philox.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect_words(philox4 got, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    uint32_t want[4] = {a, b, c, d};
    cr_assert_arr_eq(got.x, want, sizeof want, "got %08x %08x %08x %08x", got.x[0], got.x[1],
                     got.x[2], got.x[3]);
}

Test(philox, zero_counter_and_key)
{
    expect_words(philox(0, 0, 0, 0, 0), 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
}

Test(philox, all_ones)
{
    expect_words(philox(UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX), 0x408f276d,
                 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
}

/* Digits of π: counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0. All words
 * differ, so this also fixes which argument is which word of counter and key. */
Test(philox, digits_of_pi)
{
    expect_words(philox(0x299f31d0a4093822u, 0x03707344, 0x13198a2e, 0x85a308d3, 0x243f6a88),
                 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
}

Test(philox, uniform_open_stays_inside)
{
    cr_assert(uniform_open(0) == 0x1p-33);
    cr_assert(uniform_open(UINT32_MAX) == 1.0 - 0x1p-33);
    cr_assert(uniform_open(0x80000000u) == 0.5 + 0x1p-33);
}

/* Streams are part of the file format: none may change its number. */
Test(philox, streams_keep_their_numbers)
{
    draw_stream stream[] = {STREAM_TEST,   STREAM_LAMBDA, STREAM_LAMBDA_ORDER, STREAM_OMEGA,
                            STREAM_OMEGA0, STREAM_ROWS,   STREAM_SPLIT,        STREAM_BLOCKS,
                            STREAM_INIT,   STREAM_EMBED,  STREAM_POSTERIOR,    STREAM_SIMULATE};
    for (unsigned i = 0; i < sizeof stream / sizeof *stream; i++)
        cr_assert_eq((unsigned)stream[i], i);
}
