#include "loop_ping.h"

#include <algorithm>

namespace obscura {

double LoopPing::lagMs() {
  const gint64 now = g_get_monotonic_time();
  gint64 expected = 0;
  if (sentAt_.compare_exchange_strong(expected, now)) {
    GSource* ping = g_idle_source_new();
    // As important as what the loop has to do for viewers, or the answer would tell of the queue behind that.
    g_source_set_priority(ping, G_PRIORITY_DEFAULT);
    g_source_set_callback(
        ping,
        [](gpointer data) -> gboolean {
          auto* self = static_cast<LoopPing*>(data);
          self->took_ = g_get_monotonic_time() - self->sentAt_.load();
          self->sentAt_ = 0;
          return G_SOURCE_REMOVE;
        },
        this, nullptr);
    g_source_attach(ping, context_);
    g_source_unref(ping);
    return static_cast<double>(took_.load()) / 1000;
  }
  return static_cast<double>(std::max(took_.load(), now - expected)) / 1000;
}

}  // namespace obscura
