/* Streams and graphs. */
#include "harness.h"

#include <algorithm>
#include <utility>

struct node {
    const char *name;
    std::function<void()> work;
};
struct CUgraph_st {
    std::vector<node> nodes;
};
struct CUgraphExec_st {
    std::vector<node> nodes;
};
struct CUstream_st {
    unsigned flags;
    cudaStreamCaptureStatus status;
    cudaStreamCaptureMode mode;
    CUgraph_st *graph; /* being recorded */
};

namespace cuda_on_cpu
{

static std::vector<cudaStream_t> streams;
static std::vector<cudaGraphExec_t> executables;

static bool known(cudaStream_t stream)
{
    if (stream == nullptr || std::count(streams.begin(), streams.end(), stream) > 0)
        return true;
    fault("a stream that does not exist");
    return false;
}

bool capture_broken()
{
    bool broken = false;
    for (cudaStream_t s : streams)
        if (s->status != cudaStreamCaptureStatusNone && s->mode != cudaStreamCaptureModeRelaxed) {
            s->status = cudaStreamCaptureStatusInvalidated;
            broken = true;
        }
    return broken;
}

/* Work on the legacy stream waits for every stream that blocks, which a capture cannot do. */
static bool waits_for_a_capture(cudaStream_t stream)
{
    bool waits = false;
    for (cudaStream_t s : streams)
        if (stream == nullptr && s->status != cudaStreamCaptureStatusNone &&
            (s->flags & cudaStreamNonBlocking) == 0) {
            s->status = cudaStreamCaptureStatusInvalidated;
            waits = true;
        }
    return waits;
}

cudaError_t submit(cudaStream_t stream, const char *name, std::function<void()> work)
{
    if (!known(stream))
        return cudaErrorInvalidResourceHandle;
    if (waits_for_a_capture(stream))
        return cudaErrorStreamCaptureImplicit;
    if (stream == nullptr || stream->status == cudaStreamCaptureStatusNone) {
        work();
        return cudaSuccess;
    }
    if (stream->status == cudaStreamCaptureStatusInvalidated)
        return cudaErrorStreamCaptureInvalidated;
    stream->graph->nodes.push_back({name, std::move(work)});
    return cudaSuccess;
}

static cudaError_t create_stream(cudaStream_t *stream, unsigned flags)
{
    *stream =
        new CUstream_st{flags, cudaStreamCaptureStatusNone, cudaStreamCaptureModeGlobal, nullptr};
    streams.push_back(*stream);
    alive++;
    return cudaSuccess;
}

static cudaError_t end_capture(cudaStream_t stream, cudaGraph_t *graph)
{
    cudaStreamCaptureStatus status = stream->status;
    *graph = nullptr;
    if (status == cudaStreamCaptureStatusNone)
        return cudaErrorInvalidValue;
    stream->status = cudaStreamCaptureStatusNone;
    if (status == cudaStreamCaptureStatusInvalidated) {
        delete stream->graph;
        alive--;
        return cudaErrorStreamCaptureInvalidated;
    }
    *graph = stream->graph;
    return cudaSuccess;
}

static cudaError_t launch(cudaGraphExec_t exec, cudaStream_t stream)
{
    if (!known(stream))
        return cudaErrorInvalidResourceHandle;
    if (std::count(executables.begin(), executables.end(), exec) == 0) {
        fault("a graph is launched that does not exist");
        return cudaErrorInvalidValue;
    }
    if (stream != nullptr && stream->status != cudaStreamCaptureStatusNone)
        return cudaErrorStreamCaptureUnsupported;
    device_access access; /* opened and closed once, not for every node */
    for (node &n : exec->nodes)
        n.work();
    return cudaSuccess;
}

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    return call(during_capture::allowed, [&] { return create_stream(stream, flags); });
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    return give_back(during_capture::allowed, [=] {
        auto found = std::find(streams.begin(), streams.end(), stream);
        if (found == streams.end()) {
            fault("cudaStreamDestroy of a stream that does not exist");
            return cudaErrorInvalidResourceHandle;
        }
        if (stream->status != cudaStreamCaptureStatusNone)
            fault("cudaStreamDestroy of a stream that is capturing");
        streams.erase(found);
        delete stream;
        alive--;
        return cudaSuccess;
    });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    return call(during_capture::forbidden, [=] {
        if (!known(stream))
            return cudaErrorInvalidResourceHandle;
        return wait_for_device();
    });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode)
{
    return call(during_capture::allowed, [=] {
        if (stream == nullptr)
            return cudaErrorStreamCaptureUnsupported;
        if (!known(stream))
            return cudaErrorInvalidResourceHandle;
        if (stream->status != cudaStreamCaptureStatusNone)
            return cudaErrorInvalidValue;
        stream->status = cudaStreamCaptureStatusActive;
        stream->mode = mode;
        stream->graph = new CUgraph_st;
        alive++;
        return cudaSuccess;
    });
}

/* The capture ends in any case; after a failure there is no graph. */
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    cudaError_t error = give_back(during_capture::allowed, [=] {
        if (stream == nullptr || !known(stream))
            return cudaErrorInvalidResourceHandle;
        return end_capture(stream, graph);
    });
    if (error != cudaSuccess && *graph != nullptr) {
        delete *graph;
        *graph = nullptr;
        alive--;
    }
    return error;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long)
{
    return call(during_capture::allowed, [=] {
        *exec = new CUgraphExec_st{graph->nodes};
        executables.push_back(*exec);
        alive++;
        return cudaSuccess;
    });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
    return call(during_capture::allowed, [=] { return launch(exec, stream); });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    return give_back(during_capture::allowed, [=] {
        delete graph;
        alive--;
        return cudaSuccess;
    });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    return give_back(during_capture::allowed, [=] {
        auto found = std::find(executables.begin(), executables.end(), exec);
        if (found == executables.end()) {
            fault("cudaGraphExecDestroy of a graph that does not exist");
            return cudaErrorInvalidValue;
        }
        executables.erase(found);
        delete exec;
        alive--;
        return cudaSuccess;
    });
}
