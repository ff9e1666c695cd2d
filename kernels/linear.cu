/* linear — layers of M models: the products are cuBLAS's, what stands before and after them is
 * ours.
 */
#include "gpu.h"

/* ---- forward --------------------------------------------------------------------------------- */

/* y ← act(y + b), one thread a column of a tile of rows: 8 bytes and 2 operations an element, the
 * bias read once a tile; y was just written and is still in the second-level cache at training
 * sizes. Bound by memory. blockIdx.x counts tiles of columns within tiles of rows within models. */
enum { FINISH_COLUMNS = 64, FINISH_ROWS = 4, FINISH_TILE = 32 };

static __global__ void finish_kernel(linear_forward_args a, int column_tiles, int row_tiles)
{
    int64_t tile = blockIdx.x, m = tile / ((int64_t)column_tiles * row_tiles);
    int column = (int)(tile % column_tiles) * FINISH_COLUMNS + (int)threadIdx.x;
    int first = (int)(tile / column_tiles % row_tiles) * FINISH_TILE;
    if (column >= a.out)
        return;
    float bias = a.bias != NULL ? f32(a.bias)[m * a.bias_stride + column] : 0.0f;
    float *y = f32(a.y) + m * a.y_stride + column;
    int end = a.rows - first < FINISH_TILE ? a.rows : first + FINISH_TILE;
    for (int r = first + (int)threadIdx.y; r < end; r += FINISH_ROWS)
        y[r * a.ldy] = activated(y[r * a.ldy] + bias, a.act);
}

void cuda_linear_forward(backend *be, const linear_forward_args *a)
{
    const char *op = "linear_forward";
    /* Y_m (B,out) = X_m (B,in) · W_mᵀ (in,out) */
    matmul_args product = {.batch = a->models,
                           .transpose_a = false,
                           .transpose_b = true,
                           .m = a->rows,
                           .n = a->out,
                           .k = a->in,
                           .alpha = 1.0f,
                           .beta = 0.0f,
                           .a = a->x,
                           .lda = a->ldx,
                           .a_stride = a->x_stride,
                           .b = a->weight,
                           .ldb = a->in,
                           .b_stride = a->weight_stride,
                           .c = a->y,
                           .ldc = a->ldy,
                           .c_stride = a->y_stride};
    cuda_gemm(be, op, &product);
    if (be->failure.status != AM_OK || (a->bias == NULL && a->act == ACT_NONE))
        return;
    int column_tiles = (int)divide_up(a->out, FINISH_COLUMNS);
    int row_tiles = (int)divide_up(a->rows, FINISH_TILE);
    unsigned grid = (unsigned)((int64_t)a->models * column_tiles * row_tiles);
    CUDA_LAUNCH(be, op, finish_kernel, grid, dim3(FINISH_COLUMNS, FINISH_ROWS), 0, *a, column_tiles,
                row_tiles);
}

/* ---- backward -------------------------------------------------------------------------------- */

/* dA = act'(Y)∘dY in place and, in the same pass, the column sums of a tile of rows: 12 bytes an
 * element (dY read and written, Y read) and 3 operations, bound by memory. A block has 32 columns
 * of one model and up to 256 rows, 8 at a time; its 8 partial sums a column meet in shared memory,
 * those of several tiles of rows in bias_sum_kernel. */
enum { GRADIENT_COLUMNS = 32, GRADIENT_ROWS = 8, GRADIENT_TILE = 256 };

typedef struct {
    int column_tiles, row_tiles;
    float *partial; /* (models, row_tiles, out), or NULL with one tile of rows */
} gradient_tiles;

static __device__ void write_bias(const linear_backward_args &a, int64_t m, int column, float sum)
{
    float *bias = f32(a.dbias) + m * a.dbias_stride + column;
    *bias = (a.accumulate ? *bias : 0.0f) + sum;
}

static __global__ void output_gradient_kernel(linear_backward_args a, gradient_tiles t)
{
    __shared__ float sums[GRADIENT_ROWS][GRADIENT_COLUMNS];
    int64_t tile = blockIdx.x, m = tile / ((int64_t)t.column_tiles * t.row_tiles);
    int row_tile = (int)(tile / t.column_tiles % t.row_tiles);
    int column = (int)(tile % t.column_tiles) * GRADIENT_COLUMNS + (int)threadIdx.x;
    int first = row_tile * GRADIENT_TILE;
    int end = a.rows - first < GRADIENT_TILE ? a.rows : first + GRADIENT_TILE;
    float *dy = f32(a.dy) + m * a.y_stride + column;
    const float *y = a.y != NULL ? f32(a.y) + m * a.y_stride + column : NULL;
    float sum = 0.0f;
    for (int r = first + (int)threadIdx.y; column < a.out && r < end; r += GRADIENT_ROWS) {
        float d = dy[r * a.ldy];
        if (a.act != ACT_NONE)
            dy[r * a.ldy] = d = activation_gradient(d, y[r * a.ldy], a.act);
        sum += d;
    }
    sums[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y != 0 || column >= a.out || a.dbias == NULL)
        return;
    for (int i = 1; i < GRADIENT_ROWS; i++)
        sum += sums[i][threadIdx.x];
    if (t.partial == NULL)
        write_bias(a, m, column, sum);
    else
        t.partial[(m * t.row_tiles + row_tile) * a.out + column] = sum;
}

/* db_m = Σ_tiles partial, in order: 4 bytes read and an addition a tile of 256 rows and column, 1/256
 * of what output_gradient_kernel moves: the launch is what costs */
static __global__ void bias_sum_kernel(linear_backward_args a, gradient_tiles t)
{
    int64_t i = thread_index(), m = i / a.out;
    int column = (int)(i % a.out);
    if (m >= a.models)
        return;
    double sum = 0.0;
    for (int r = 0; r < t.row_tiles; r++)
        sum += (double)t.partial[(m * t.row_tiles + r) * a.out + column];
    write_bias(a, m, column, (float)sum);
}

static void output_gradient(backend *be, const char *op, const linear_backward_args *a)
{
    gradient_tiles t = {.column_tiles = (int)divide_up(a->out, GRADIENT_COLUMNS),
                        .row_tiles = (int)divide_up(a->rows, GRADIENT_TILE),
                        .partial = NULL};
    int64_t count = (int64_t)a->models * a->out;
    if (a->dbias != NULL && t.row_tiles > 1) {
        t.partial =
            (float *)cuda_scratch(be, SCRATCH_OP, (size_t)(count * t.row_tiles) * sizeof(float));
        if (t.partial == NULL)
            return;
    }
    unsigned grid = (unsigned)((int64_t)a->models * t.column_tiles * t.row_tiles);
    CUDA_LAUNCH(be, op, output_gradient_kernel, grid, dim3(GRADIENT_COLUMNS, GRADIENT_ROWS), 0, *a,
                t);
    if (t.partial != NULL)
        CUDA_LAUNCH(be, op, bias_sum_kernel, blocks_of(count), BLOCK, 0, *a, t);
}

/* dW_m (out,in) = dA_mᵀ (out,B) · X_m (B,in) */
static void weight_gradient(backend *be, const char *op, const linear_backward_args *a)
{
    matmul_args product = {.batch = a->models,
                           .transpose_a = true,
                           .transpose_b = false,
                           .m = a->out,
                           .n = a->in,
                           .k = a->rows,
                           .alpha = 1.0f,
                           .beta = a->accumulate ? 1.0f : 0.0f,
                           .a = a->dy,
                           .lda = a->ldy,
                           .a_stride = a->y_stride,
                           .b = a->x,
                           .ldb = a->ldx,
                           .b_stride = a->x_stride,
                           .c = a->dweight,
                           .ldc = a->in,
                           .c_stride = a->dweight_stride};
    cuda_gemm(be, op, &product);
}

/* dX_m (B,in) = dA_m (B,out) · W_m (out,in) */
static void input_gradient(backend *be, const char *op, const linear_backward_args *a)
{
    matmul_args product = {.batch = a->models,
                           .transpose_a = false,
                           .transpose_b = false,
                           .m = a->rows,
                           .n = a->in,
                           .k = a->out,
                           .alpha = 1.0f,
                           .beta = 0.0f,
                           .a = a->dy,
                           .lda = a->ldy,
                           .a_stride = a->y_stride,
                           .b = a->weight,
                           .ldb = a->in,
                           .b_stride = a->weight_stride,
                           .c = a->dx,
                           .ldc = a->lddx,
                           .c_stride = a->dx_stride};
    cuda_gemm(be, op, &product);
}

void cuda_linear_backward(backend *be, const linear_backward_args *a)
{
    const char *op = "linear_backward";
    CUDA_REQUIRE(be, op, a->models > 0 && a->rows > 0 && a->in > 0 && a->out > 0);
    CUDA_REQUIRE(be, op, a->ldy >= a->out && (a->models == 1 || a->y_stride != 0));
    CUDA_REQUIRE(be, op, a->act == ACT_NONE || a->y != NULL);
    CUDA_REQUIRE(be, op, a->dbias == NULL || a->models == 1 || a->dbias_stride != 0);
    if (a->act != ACT_NONE || a->dbias != NULL)
        output_gradient(be, op, a);
    if (a->dweight != NULL)
        weight_gradient(be, op, a);
    if (a->dx != NULL)
        input_gradient(be, op, a);
}
