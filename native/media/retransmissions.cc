#include "retransmissions.h"

#include <algorithm>
#include <memory>
#include <mutex>

namespace obscura {
namespace {

/** Enough to mend a way that loses a fifth of everything, also of what is sent again. */
constexpr double mostOfStream = 0.25;
/** A large keyframe that is lost as a whole. */
constexpr double mostAtOnce = 200;

/** In packets: what passes for the first time earns what may be sent again. */
class Budget {
 public:
  void earn(guint packets) {
    const std::lock_guard<std::mutex> hold(lock_);
    left_ = std::min(mostAtOnce, left_ + mostOfStream * packets);
  }

  bool spend() {
    const std::lock_guard<std::mutex> hold(lock_);
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  std::mutex lock_;
  double left_ = mostAtOnce;
};

void drop(gpointer data) { delete static_cast<std::shared_ptr<Budget>*>(data); }

GstPadProbeReturn onPackets(GstPad*, GstPadProbeInfo* info, gpointer data) {
  const bool isList = (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0;
  const guint packets = isList ? gst_buffer_list_length(GST_PAD_PROBE_INFO_BUFFER_LIST(info)) : 1;
  (*static_cast<std::shared_ptr<Budget>*>(data))->earn(packets);
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn onRequest(GstPad*, GstPadProbeInfo* info, gpointer data) {
  const GstStructure* words = gst_event_get_structure(GST_PAD_PROBE_INFO_EVENT(info));
  if (words == nullptr || !gst_structure_has_name(words, "GstRTPRetransmissionRequest")) return GST_PAD_PROBE_OK;
  return (*static_cast<std::shared_ptr<Budget>*>(data))->spend() ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

void watch(GstElement* element, const char* name, GstPadProbeType types, GstPadProbeCallback probe,
           const std::shared_ptr<Budget>& budget) {
  GstPad* pad = gst_element_get_static_pad(element, name);
  gst_pad_add_probe(pad, types, probe, new std::shared_ptr<Budget>(budget), drop);
  gst_object_unref(pad);
}

}  // namespace

void limitRetransmissions(GstElement* sender) {
  const auto budget = std::make_shared<Budget>();
  const auto packets = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
  watch(sender, "sink", packets, onPackets, budget);
  watch(sender, "src", GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, onRequest, budget);
}

}  // namespace obscura
