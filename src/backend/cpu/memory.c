/* How much memory the process may still take: the least of what the machine, its control groups and
 * its own limits leave it. */
#include "backend/cpu/cpu.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { PATH_BYTES = 4096, LINE_BYTES = 256 };

/* The number behind `name` in a file of lines "name 123" or "name: 123 kB"; with an empty name the
 * first number of the file. False where there is none. */
static bool read_number(const char *path, const char *name, uint64_t *value)
{
    char line[LINE_BYTES];
    size_t length = strlen(name);
    bool found = false;
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return false;
    while (!found && fgets(line, sizeof line, f) != NULL) {
        unsigned long long number;
        if (strncmp(line, name, length) != 0)
            continue;
        found = sscanf(line + length + strspn(line + length, ": \t"), "%llu", &number) == 1;
        if (found)
            *value = number;
    }
    fclose(f);
    return found;
}

typedef struct {
    uint64_t available, total;
} room;

static room smaller(room a, uint64_t limit, uint64_t used)
{
    uint64_t left = limit > used ? limit - used : 0;
    return (room){AM_MIN(a.available, left), AM_MIN(a.total, limit)};
}

static room machine_room(void)
{
    room r = {SIZE_MAX, SIZE_MAX};
    uint64_t total = 0, available = 0;
    if (read_number("/proc/meminfo", "MemTotal", &total) &&
        read_number("/proc/meminfo", "MemAvailable", &available))
        r = (room){available * 1024, total * 1024};
    return r;
}

/* A group's limit; files that were read and may be dropped do not count as used. */
static room group_room(room r, const char *folder, const char *limit_name, const char *used_name,
                       const char *cache_name)
{
    char path[PATH_BYTES];
    uint64_t limit, used, cache = 0;
    snprintf(path, sizeof path, "%s/%s", folder, limit_name);
    if (!read_number(path, "", &limit)) /* none, or "max" */
        return r;
    snprintf(path, sizeof path, "%s/%s", folder, used_name);
    if (!read_number(path, "", &used))
        return r;
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    read_number(path, cache_name, &cache);
    return smaller(r, limit, used > cache ? used - cache : 0);
}

/* Version 2: the process's own group, or what a container sees in its place; then version 1. */
static room groups_room(room r)
{
    char line[LINE_BYTES], folder[PATH_BYTES];
    FILE *f = fopen("/proc/self/cgroup", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::", 3) != 0)
            continue;
        snprintf(folder, sizeof folder, "/sys/fs/cgroup%s", line + 3);
        r = group_room(r, folder, "memory.max", "memory.current", "inactive_file");
    }
    if (f != NULL)
        fclose(f);
    r = group_room(r, "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file");
    return group_room(r, "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                      "total_inactive_file");
}

/* ulimit -v */
static room process_room(room r)
{
    struct rlimit limit;
    uint64_t used = 0;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        !read_number("/proc/self/status", "VmSize", &used))
        return r;
    return smaller(r, limit.rlim_cur, used * 1024);
}

am_status cpu_free_memory(backend *be, size_t *available, size_t *total, am_error *err)
{
    room r = process_room(groups_room(machine_room()));
    *available = (size_t)r.available;
    *total = (size_t)r.total;
    return be->failure.status == AM_OK ? AM_OK : be->op->sync(be, err);
}
