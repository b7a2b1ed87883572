#include "rtsp_threads.h"

#include "weak_object.h"

namespace obscura {
namespace {

constexpr const char* loopName = "obscura-loop";

struct Threads {
  GstRTSPThreadPool parent;
};
struct ThreadsClass {
  GstRTSPThreadPoolClass parent;
};
G_DEFINE_TYPE(Threads, threads, GST_TYPE_RTSP_THREAD_POOL)

GstRTSPThread* getThread(GstRTSPThreadPool* pool, GstRTSPThreadType type, GstRTSPContext* context) {
  GstRTSPThread* thread = GST_RTSP_THREAD_POOL_CLASS(threads_parent_class)->get_thread(pool, type, context);
  if (type == GST_RTSP_THREAD_TYPE_CLIENT && thread != nullptr && context->client != nullptr)
    g_object_set_data_full(G_OBJECT(context->client), loopName, g_main_context_ref(thread->context),
                           [](gpointer loop) { g_main_context_unref(static_cast<GMainContext*>(loop)); });
  return thread;
}

void threads_class_init(ThreadsClass* type) { GST_RTSP_THREAD_POOL_CLASS(type)->get_thread = getThread; }
void threads_init(Threads*) {}

/** The client may be gone before its turn comes, and then its thread may not turn any more. */
struct Task {
  WeakObject<GstRTSPClient> client;
  void (*act)(GstRTSPClient* client);
};

}  // namespace

GstRTSPThreadPool* newRtspThreads(int most) {
  auto* pool = GST_RTSP_THREAD_POOL(g_object_new(threads_get_type(), nullptr));
  gst_rtsp_thread_pool_set_max_threads(pool, most);
  return pool;
}

void onThreadOf(GstRTSPClient* client, void (*act)(GstRTSPClient* client)) {
  auto* loop = static_cast<GMainContext*>(g_object_get_data(G_OBJECT(client), loopName));
  // Accepted this moment: it has been given nothing so far.
  if (loop == nullptr) return;
  GSource* source = g_idle_source_new();
  g_source_set_priority(source, G_PRIORITY_HIGH);
  g_source_set_callback(
      source,
      [](gpointer data) -> gboolean {
        auto* task = static_cast<Task*>(data);
        GstRTSPClient* known = task->client.get();
        if (known == nullptr) return G_SOURCE_REMOVE;
        task->act(known);
        g_object_unref(known);
        return G_SOURCE_REMOVE;
      },
      new Task{WeakObject<GstRTSPClient>(client), act}, [](gpointer data) { delete static_cast<Task*>(data); });
  g_source_attach(source, loop);
  g_source_unref(source);
}

}  // namespace obscura
