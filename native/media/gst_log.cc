#include "gst_log.h"

#include <gst/gst.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

#include "events.h"

namespace obscura {
namespace {

/** An element in trouble can warn with every frame: the first few tell all there is to know. */
constexpr int mostPerWindow = 3;
constexpr gint64 windowUs = 10 * G_USEC_PER_SEC;

struct Window {
  gint64 since = 0;
  int told = 0;
  int withheld = 0;
};

std::mutex lock;

/** Few: categories are named in the code of plugins. */
std::map<std::string, Window>& windows() {
  static auto* all = new std::map<std::string, Window>();
  return *all;
}

/** How many were withheld before this one; negative where this one is withheld as well. */
int admit(const std::string& category) {
  const std::lock_guard<std::mutex> hold(lock);
  Window& window = windows()[category];
  const gint64 now = g_get_monotonic_time();
  if (window.told == 0 || now - window.since > windowUs) {
    const int withheld = window.withheld;
    window = Window{now, 1, 0};
    return withheld;
  }
  if (window.told < mostPerWindow) {
    window.told += 1;
    return 0;
  }
  window.withheld += 1;
  return -1;
}

/** On any thread of GStreamer, so it takes no lock but its own and that of the events. */
void onLog(GstDebugCategory* category, GstDebugLevel level, const gchar*, const gchar*, gint, GObject* object,
           GstDebugMessage* message, gpointer) {
  if (level > GST_LEVEL_WARNING) return;
  const std::string name = gst_debug_category_get_name(category);
  const int withheld = admit(name);
  if (withheld < 0) return;
  tell(Json()
           .set("event", "gst-log")
           .set("category", name)
           .set("element", GST_IS_OBJECT(object) && GST_OBJECT_NAME(object) != nullptr ? GST_OBJECT_NAME(object) : "")
           .set("message", gst_debug_message_get(message))
           .set("withheld", withheld));
}

}  // namespace

void tellGstWarnings() {
  if (std::getenv("GST_DEBUG") == nullptr) {
    gst_debug_remove_log_function(gst_debug_log_default);
    gst_debug_set_default_threshold(GST_LEVEL_WARNING);
  }
  gst_debug_set_active(TRUE);
  gst_debug_add_log_function(onLog, nullptr, nullptr);
}

}  // namespace obscura
