// Asks a main loop whether it still turns: a loop that hangs serves nobody, though its process seems alive.
#pragma once

#include <glib.h>

#include <atomic>

namespace obscura {

class LoopPing {
 public:
  explicit LoopPing(GMainContext* context) : context_(context) {}

  /** Sends a ping, unless one is under way. Milliseconds: what the last one took, or the one under way if that is more. */
  double lagMs();

 private:
  GMainContext* context_;
  /** On the monotonic clock; 0 while none is under way. */
  std::atomic<gint64> sentAt_{0};
  std::atomic<gint64> took_{0};
};

}  // namespace obscura
