/* A plugin whose headers were others: it must be refused before anything in it is called but the
 * digest. */
#include "backend/plugin.h"

#include <stdlib.h>

__attribute__((visibility("default"))) const char *am_cuda_backend_abi(void);
__attribute__((visibility("default"))) am_status am_cuda_backend_open(backend **be, int index,
                                                                      am_error *err);

const char *am_cuda_backend_abi(void)
{
    return "0123456789abcdef";
}

am_status am_cuda_backend_open(backend **be, int index, am_error *err)
{
    (void)be, (void)index, (void)err;
    abort();
}
