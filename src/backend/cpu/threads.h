/* threads — how many threads this process may use. */
#ifndef AM_CPU_THREADS_H
#define AM_CPU_THREADS_H

/* min(OMP_NUM_THREADS if set, CPUs in the affinity mask, cgroup CPU quota rounded up), at least 1.
 */
int cpu_thread_limit(void);

/* CPUs granted by the cgroup quotas, rounded up, over every ancestor of the groups that
 * `membership` (the text of /proc/self/cgroup) names below `mount` (/sys/fs/cgroup); INT_MAX
 * without a quota. */
int cpu_quota(const char *membership, const char *mount);

#endif
