#include "data_files.h"
#include "draw/permutation.h"

Test(blocks, are_balanced_to_one_row)
{
    static const int64_t size[][2] = {{1, 1},    {7, 3},      {16, 16},
                                      {1000, 7}, {1000, 999}, {50000, 16}};
    for (size_t s = 0; s < sizeof size / sizeof *size; s++) {
        const int64_t n = size[s][0], blocks = size[s][1];
        uint32_t *block = calloc((size_t)n, sizeof *block);
        int64_t *count = calloc((size_t)blocks, sizeof *count);
        am_error err;
        cr_assert(block != NULL && count != NULL);
        cr_assert_eq(blocks_assign(5, n, blocks, block, &err), AM_OK, "%s", err.message);
        for (int64_t i = 0; i < n; i++) {
            cr_assert_lt(block[i], blocks);
            count[block[i]]++;
        }
        for (int64_t b = 0; b < blocks; b++)
            cr_expect(count[b] == n / blocks || count[b] == n / blocks + (n % blocks != 0));
        free(block);
        free(count);
    }
}

Test(blocks, cut_the_keyed_permutation_into_equal_parts)
{
    uint32_t block[10];
    am_error err;
    const permutation order = permutation_of(77, STREAM_BLOCKS, 0, 10);
    cr_assert_eq(blocks_assign(77, 10, 4, block, &err), AM_OK);
    for (int i = 0; i < 10; i++)
        cr_expect_eq(block[i], permutation_at(&order, (uint64_t)i) * 4 / 10);
}

Test(blocks, depend_on_the_seed)
{
    uint32_t a[100], b[100], c[100];
    am_error err;
    cr_assert_eq(blocks_assign(1, 100, 16, a, &err), AM_OK);
    cr_assert_eq(blocks_assign(1, 100, 16, b, &err), AM_OK);
    cr_assert_eq(blocks_assign(2, 100, 16, c, &err), AM_OK);
    cr_expect_eq(memcmp(a, b, sizeof a), 0);
    cr_expect_neq(memcmp(a, c, sizeof a), 0);
}

Test(blocks, refuse_impossible_numbers)
{
    uint32_t block[4];
    am_error err;
    cr_expect_eq(blocks_assign(1, 4, 0, block, &err), AM_ERR_USAGE);
    cr_expect_eq(blocks_assign(1, 4, -1, block, &err), AM_ERR_USAGE);
    cr_expect_eq(blocks_assign(1, 4, 5, block, &err), AM_ERR_USAGE);
    expect_message(&err, "5 blocks cannot be cut from 4 training rows");
    cr_expect_eq(blocks_assign(1, 0, 1, block, &err), AM_ERR_USAGE);
    cr_expect_eq(blocks_assign(1, (int64_t)1 << 32, 1, block, &err), AM_ERR_USAGE);
}

/* FNV-1a over each number's four bytes, low byte first, worked out independently. */
Test(blocks, have_a_known_digest)
{
    char text[17];
    blocks_digest(NULL, 0, text);
    cr_expect_str_eq(text, "cbf29ce484222325"); /* the offset basis */
    blocks_digest((uint32_t[]){0}, 1, text);
    cr_expect_str_eq(text, "4d25767f9dce13f5");
    blocks_digest((uint32_t[]){0, 1}, 2, text);
    cr_expect_str_eq(text, "08cd4c29d1e47d34");
    blocks_digest((uint32_t[]){2, 0, 1, 0xdeadbeefu}, 4, text);
    cr_expect_str_eq(text, "fc051b629e687e88");
}
