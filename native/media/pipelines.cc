#include "pipelines.h"

#include <map>
#include <mutex>

#include "events.h"
#include "graph.h"

namespace obscura {
namespace {

std::mutex lock;

/** Not referenced: whoever made a pipeline keeps it until it is released. */
std::map<std::string, GstElement*>& pipelines() {
  static std::map<std::string, GstElement*> all;
  return all;
}

/** A reference, or nothing. */
GstElement* find(const std::string& owner) {
  const std::lock_guard<std::mutex> hold(lock);
  const auto found = pipelines().find(owner);
  return found == pipelines().end() ? nullptr : GST_ELEMENT(gst_object_ref(found->second));
}

/** In words that do not change with the language of the system. */
const char* kindOf(const GError* error) {
  if (error == nullptr || error->domain != GST_RESOURCE_ERROR) return "failed";
  switch (error->code) {
    case GST_RESOURCE_ERROR_NOT_AUTHORIZED:
      return "unauthorized";
    case GST_RESOURCE_ERROR_NOT_FOUND:
      return "not-found";
    case GST_RESOURCE_ERROR_BUSY:
      return "busy";
    case GST_RESOURCE_ERROR_OPEN_READ:
    case GST_RESOURCE_ERROR_OPEN_READ_WRITE:
    case GST_RESOURCE_ERROR_READ:
    case GST_RESOURCE_ERROR_CLOSE:
      return "unreachable";
    default:
      return "failed";
  }
}

void tellProblem(const char* owner, GstMessage* message, bool isError) {
  GError* error = nullptr;
  gchar* details = nullptr;
  if (isError)
    gst_message_parse_error(message, &error, &details);
  else
    gst_message_parse_warning(message, &error, &details);
  tell(Json()
           .set("event", isError ? "error" : "warning")
           .set("pipeline", owner)
           .set("element", GST_MESSAGE_SRC_NAME(message))
           .set("problem", kindOf(error))
           .set("message", error == nullptr ? "unknown" : error->message)
           .set("details", details == nullptr ? "" : details));
  g_clear_error(&error);
  g_free(details);
}

GstBusSyncReply onMessage(GstBus*, GstMessage* message, gpointer data) {
  const char* owner = static_cast<const char*>(data);
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
      tellProblem(owner, message, true);
      break;
    case GST_MESSAGE_WARNING:
      tellProblem(owner, message, false);
      break;
    case GST_MESSAGE_EOS:
      tell(Json().set("event", "ended").set("pipeline", owner));
      break;
    case GST_MESSAGE_LATENCY:
      // Elements in the middle have changed their mind on how long they take.
      if (GST_IS_BIN(GST_MESSAGE_SRC(message)))
        gst_bin_recalculate_latency(GST_BIN(GST_MESSAGE_SRC(message)));
      break;
    default:
      break;
  }
  gst_message_unref(message);
  return GST_BUS_DROP;
}

}  // namespace

GstElement* pipelineOf(GstElement* element) {
  GstObject* top = GST_OBJECT(gst_object_ref(element));
  while (GstObject* parent = gst_object_get_parent(top)) {
    gst_object_unref(top);
    top = parent;
  }
  return GST_ELEMENT(top);
}

GstElement* findInPipeline(GstElement* element, const char* factory) {
  GstElement* pipeline = pipelineOf(element);
  GstElement* found = nullptr;
  if (GST_IS_BIN(pipeline)) {
    GstIterator* all = gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), factory);
    GValue item = G_VALUE_INIT;
    if (gst_iterator_next(all, &item) == GST_ITERATOR_OK) {
      found = GST_ELEMENT(g_value_dup_object(&item));
      g_value_unset(&item);
    }
    gst_iterator_free(all);
  }
  gst_object_unref(pipeline);
  return found;
}

void adoptPipelineOf(GstElement* element, const std::string& owner) {
  if (owner.empty()) return;
  GstElement* top = pipelineOf(element);
  if (GST_IS_PIPELINE(top)) {
    {
      const std::lock_guard<std::mutex> hold(lock);
      pipelines()[owner] = top;
    }
    GstBus* bus = gst_pipeline_get_bus(GST_PIPELINE(top));
    gst_bus_set_sync_handler(bus, onMessage, g_strdup(owner.c_str()), g_free);
    gst_object_unref(bus);
  }
  gst_object_unref(top);
}

GstElement* elementOf(const std::string& owner, const std::string& element) {
  GstElement* pipeline = find(owner);
  if (pipeline == nullptr) return nullptr;
  GstElement* child = gst_bin_get_by_name(GST_BIN(pipeline), element.c_str());
  gst_object_unref(pipeline);
  return child;
}

bool setPipelineProperty(const std::string& owner, const std::string& element, const std::string& property,
                         const std::string& value) {
  GstElement* child = elementOf(owner, element);
  if (child == nullptr) return false;
  bool known = false;
  if (property.find("::") != std::string::npos) {
    // Of a pad of it, such as sink_1::xpos.
    GObject* target = nullptr;
    GParamSpec* spec = nullptr;
    known = GST_IS_CHILD_PROXY(child) &&
            gst_child_proxy_lookup(GST_CHILD_PROXY(child), property.c_str(), &target, &spec) == TRUE;
    if (known) {
      gst_util_set_object_arg(target, spec->name, value.c_str());
      g_object_unref(target);
    }
  } else {
    known = g_object_class_find_property(G_OBJECT_GET_CLASS(child), property.c_str()) != nullptr;
    if (known) gst_util_set_object_arg(G_OBJECT(child), property.c_str(), value.c_str());
  }
  gst_object_unref(child);
  return known;
}

std::string pipelineGraph(const std::string& owner) {
  GstElement* pipeline = find(owner);
  if (pipeline == nullptr) return "";
  const std::string text = describeGraph(GST_BIN(pipeline));
  gst_object_unref(pipeline);
  return text;
}

bool releasePipeline(const std::string& owner) {
  GstElement* pipeline = nullptr;
  {
    const std::lock_guard<std::mutex> hold(lock);
    const auto found = pipelines().find(owner);
    if (found == pipelines().end()) return false;
    pipeline = found->second;
    pipelines().erase(found);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return true;
}

}  // namespace obscura
