#include "backend/cpu/threads.h"

#include "base/base.h"

#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static int quota_cpus(long long quota, long long period)
{
    if (quota <= 0 || period <= 0)
        return INT_MAX;
    long long cpus = (quota + period - 1) / period;
    return cpus > INT_MAX ? INT_MAX : (int)cpus;
}

/* First number of a small file; false when there is none ("max", or no such file). */
static bool read_number(const char *folder, const char *name, long long *first, long long *second)
{
    char path[PATH_BYTES + 32], text[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return false;
    bool found =
        fgets(text, sizeof text, f) != NULL && sscanf(text, "%lld %lld", first, second) > 0;
    fclose(f);
    return found;
}

/* cgroup v2 keeps "quota period" in cpu.max, v1 keeps them in two files. */
static int folder_quota(const char *folder)
{
    long long quota = 0, period = 0, unused = 0;
    if (read_number(folder, "cpu.max", &quota, &period))
        return quota_cpus(quota, period);
    if (read_number(folder, "cpu.cfs_quota_us", &quota, &unused) &&
        read_number(folder, "cpu.cfs_period_us", &period, &unused))
        return quota_cpus(quota, period);
    return INT_MAX;
}

/* Smallest quota of `group` and its ancestors below `root`. A container may see its own group as
 * the root of the mount, so folders that do not exist are passed over. */
static int tree_quota(const char *root, const char *group)
{
    char folder[PATH_BYTES];
    int length = snprintf(folder, sizeof folder, "%s%s", root, group);
    if (length < 0 || length >= (int)sizeof folder)
        return INT_MAX;
    size_t root_length = strlen(root);
    int cpus = INT_MAX;
    for (;;) {
        cpus = AM_MIN(cpus, folder_quota(folder));
        char *slash = strrchr(folder, '/');
        if (slash == NULL || (size_t)(slash - folder) < root_length)
            return cpus;
        *slash = '\0';
    }
}

static bool lists_cpu(const char *controllers, size_t length)
{
    for (const char *at = controllers, *end = controllers + length; at < end;) {
        size_t word = strcspn(at, ",:");
        if (word == 3 && memcmp(at, "cpu", 3) == 0)
            return true;
        at += word + 1;
    }
    return false;
}

int cpu_quota(const char *membership, const char *mount)
{
    char root[PATH_BYTES], group[PATH_BYTES];
    int cpus = INT_MAX;
    for (const char *line = membership; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        /* ID:CONTROLLERS:PATH, with no controllers for version 2 */
        const char *controllers = memchr(line, ':', length);
        const char *path = controllers == NULL ? NULL
                                               : memchr(controllers + 1, ':',
                                                        length - (size_t)(controllers + 1 - line));
        if (path != NULL) {
            size_t names = (size_t)(path - controllers - 1);
            snprintf(group, sizeof group, "%.*s", (int)(length - (size_t)(path + 1 - line)),
                     path + 1);
            snprintf(root, sizeof root, "%s%s", mount, names == 0 ? "" : "/cpu");
            if (names == 0 || lists_cpu(controllers + 1, names))
                cpus = AM_MIN(cpus, tree_quota(root, group));
        }
        line += length + (line[length] == '\n');
    }
    return AM_MAX(cpus, 1);
}

static int affinity_cpus(void)
{
    for (int capacity = 1024; capacity <= 1 << 20; capacity *= 2) {
        cpu_set_t *set = CPU_ALLOC((size_t)capacity);
        size_t bytes = CPU_ALLOC_SIZE((size_t)capacity);
        if (set == NULL)
            break;
        int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (count > 0)
            return count;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 && online < INT_MAX ? (int)online : 1;
}

int cpu_thread_limit(void)
{
    int limit = affinity_cpus();
    const char *omp = getenv("OMP_NUM_THREADS"); /* "8" or, for nested regions, "8,2" */
    long asked = omp != NULL ? strtol(omp, NULL, 10) : 0;
    if (asked > 0 && asked < limit)
        limit = (int)asked;

    char membership[PATH_BYTES] = "";
    FILE *f = fopen("/proc/self/cgroup", "r");
    if (f != NULL) {
        size_t got = fread(membership, 1, sizeof membership - 1, f);
        membership[got] = '\0';
        fclose(f);
    }
    return AM_MIN(limit, cpu_quota(membership, "/sys/fs/cgroup"));
}
