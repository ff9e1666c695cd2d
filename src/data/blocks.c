/* Weight blocks: which block a training row belongs to, for ever. */
#include "data/data.h"
#include "draw/permutation.h"

#include <inttypes.h>

am_status blocks_assign(uint64_t seed, int64_t n, int64_t blocks, uint32_t *block, am_error *err)
{
    if (n < 1 || n > UINT32_MAX)
        return am_fail(err, AM_ERR_USAGE,
                       "blocks: %" PRId64 " training rows; 1 to 2^32-1 can be cut", n);
    if (blocks < 1 || blocks > n)
        return am_fail(err, AM_ERR_USAGE,
                       "blocks: %" PRId64 " blocks cannot be cut from %" PRId64
                       " training rows; ask for 1 to %" PRId64,
                       blocks, n, n);
    const uint64_t rows = (uint64_t)n, count = (uint64_t)blocks;
    const permutation order = permutation_of(seed, STREAM_BLOCKS, 0, rows);
    for (uint64_t i = 0; i < rows; i++)
        block[i] = (uint32_t)(permutation_at(&order, i) * count / rows); /* ⌊π(i)·K/n⌋ */
    return AM_OK;
}

/* FNV-1a over the numbers' bytes, low byte first, so that it is the same on every machine. */
void blocks_digest(const uint32_t *block, int64_t n, char text[17])
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (int64_t i = 0; i < n; i++)
        for (int shift = 0; shift < 32; shift += 8)
            hash = (hash ^ (block[i] >> shift & 0xff)) * 0x100000001b3u;
    (void)snprintf(text, 17, "%016" PRIx64, hash);
}
