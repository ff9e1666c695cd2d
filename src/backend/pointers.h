/* pointers — device memory as the host sees it: incomplete types, which it can offset and hand on but
 * not dereference. */
#ifndef AM_POINTERS_H
#define AM_POINTERS_H

#include <stdint.h>

typedef struct dev_f32 dev_f32; /* float  on the device */
typedef struct dev_f64 dev_f64; /* double on the device */
typedef struct dev_u8 dev_u8;
typedef struct dev_i32 dev_i32;
typedef struct dev_u32 dev_u32;
typedef struct dev_u64 dev_u64;

static inline dev_f32 *f32_at(const dev_f32 *p, int64_t i)
{
    return (dev_f32 *)((uintptr_t)p + (uintptr_t)i * sizeof(float));
}
static inline dev_u8 *u8_at(const dev_u8 *p, int64_t i)
{
    return (dev_u8 *)((uintptr_t)p + (uintptr_t)i);
}
static inline dev_u32 *u32_at(const dev_u32 *p, int64_t i)
{
    return (dev_u32 *)((uintptr_t)p + (uintptr_t)i * sizeof(uint32_t));
}
static inline dev_i32 *i32_at(const dev_i32 *p, int64_t i)
{
    return (dev_i32 *)((uintptr_t)p + (uintptr_t)i * sizeof(int32_t));
}
static inline dev_f64 *f64_at(const dev_f64 *p, int64_t i)
{
    return (dev_f64 *)((uintptr_t)p + (uintptr_t)i * sizeof(double));
}

#endif
