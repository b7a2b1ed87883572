#include "hubsink.h"

#include <gst/base/gstbasesink.h>
#include <gst/video/video.h>

#include <memory>
#include <string>

#include "channel.h"
#include "pipelines.h"
#include "rtptimes.h"

namespace obscura {
namespace {

/** What the element is in C++; the element itself is a struct of C. */
class Inlet final : public Producer {
 public:
  explicit Inlet(GstBaseSink* element) : element_(element) {}

  void start() {
    channel = Channel::named(name);
    made = madeOf.empty() ? nullptr : Channel::named(madeOf);
    clock_ = findRtpTimes(GST_ELEMENT(element_));
    generation = channel->beginProducing();
  }
  void stop() {
    if (channel != nullptr) channel->endProducing(this);
    channel.reset();
    made.reset();
    g_clear_object(&clock_);
    gst_caps_replace(&caps, nullptr);
  }
  void requestKeyframe() override {
    gst_pad_push_event(GST_BASE_SINK_PAD(element_),
                       gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  }

  Times timesOf(GstClockTime captured) const {
    if (made != nullptr) return made->timesOf(captured);
    const auto offset = clock_ == nullptr ? std::nullopt : rtpTimesOffset(clock_);
    const GstClockTime taken = offset.has_value() ? captured + *offset : captured;
    return {captured, taken, static_cast<GstClockTime>(g_get_monotonic_time()) * GST_USECOND};
  }

  std::string owner() const override { return ownerName; }
  bool isStandby() const override { return standby; }

  std::string name = "default";
  std::string ownerName;
  std::string madeOf;
  bool standby = false;
  std::shared_ptr<Channel> channel;
  std::shared_ptr<Channel> made;
  std::uint64_t generation = 0;
  GstCaps* caps = nullptr;

 private:
  GstBaseSink* element_;
  GstElement* clock_ = nullptr;
};

struct HubSink {
  GstBaseSink parent;
  Inlet* inlet;
};
struct HubSinkClass {
  GstBaseSinkClass parent;
};

G_DEFINE_TYPE(HubSink, hub_sink, GST_TYPE_BASE_SINK)

enum Property { propertyChannel = 1, propertyOwner, propertyStandby, propertyMadeOf };

HubSink* self(gpointer object) { return reinterpret_cast<HubSink*>(object); }

gboolean start(GstBaseSink* base) {
  self(base)->inlet->start();
  return TRUE;
}

gboolean stop(GstBaseSink* base) {
  self(base)->inlet->stop();
  return TRUE;
}

gboolean setCaps(GstBaseSink* base, GstCaps* caps) {
  gst_caps_replace(&self(base)->inlet->caps, caps);
  return TRUE;
}

GstFlowReturn render(GstBaseSink* base, GstBuffer* buffer) {
  Inlet& inlet = *self(base)->inlet;
  if (base->segment.format != GST_FORMAT_TIME) return GST_FLOW_OK;
  const GstClockTime stamp = GST_BUFFER_DTS_OR_PTS(buffer);
  const GstClockTime presented = GST_BUFFER_PTS_IS_VALID(buffer) ? GST_BUFFER_PTS(buffer) : stamp;
  // A byte stream has no times, and what comes in one piece of it has one at the most: the others are as of now.
  const GstClockTime running = GST_CLOCK_TIME_IS_VALID(presented)
                                   ? gst_segment_to_running_time(&base->segment, GST_FORMAT_TIME, presented)
                                   : gst_element_get_current_running_time(GST_ELEMENT(base));
  // A frame outside of its segment has no place in time.
  if (!GST_CLOCK_TIME_IS_VALID(running) || inlet.caps == nullptr) return GST_FLOW_OK;
  inlet.channel->publish(&inlet, inlet.generation, buffer, inlet.caps,
                         inlet.timesOf(running + gst_element_get_base_time(GST_ELEMENT(base))));
  return GST_FLOW_OK;
}

void setProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  const gchar* text = id == propertyStandby ? nullptr : g_value_get_string(value);
  if (id == propertyStandby)
    self(object)->inlet->standby = g_value_get_boolean(value) == TRUE;
  else if (id == propertyChannel)
    self(object)->inlet->name = text == nullptr ? "default" : text;
  else if (id == propertyOwner)
    self(object)->inlet->ownerName = text == nullptr ? "" : text;
  else if (id == propertyMadeOf)
    self(object)->inlet->madeOf = text == nullptr ? "" : text;
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void getProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (id == propertyChannel)
    g_value_set_string(value, self(object)->inlet->name.c_str());
  else if (id == propertyStandby)
    g_value_set_boolean(value, self(object)->inlet->standby);
  else if (id == propertyOwner)
    g_value_set_string(value, self(object)->inlet->ownerName.c_str());
  else if (id == propertyMadeOf)
    g_value_set_string(value, self(object)->inlet->madeOf.c_str());
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

GstStateChangeReturn changeState(GstElement* element, GstStateChange change) {
  if (change == GST_STATE_CHANGE_NULL_TO_READY) adoptPipelineOf(element, self(element)->inlet->ownerName);
  return GST_ELEMENT_CLASS(hub_sink_parent_class)->change_state(element, change);
}

void finalize(GObject* object) {
  delete self(object)->inlet;
  G_OBJECT_CLASS(hub_sink_parent_class)->finalize(object);
}

GstStaticPadTemplate sinkTemplate =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

void hub_sink_class_init(HubSinkClass* type) {
  GObjectClass* object = G_OBJECT_CLASS(type);
  object->set_property = setProperty;
  object->get_property = getProperty;
  object->finalize = finalize;
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object, propertyChannel,
      g_param_spec_string("channel", "Channel", "Name of the channel that takes the frames", "default", flags));
  g_object_class_install_property(object, propertyOwner,
                                  g_param_spec_string("owner", "Owner", ownerDescription, "", flags));
  g_object_class_install_property(
      object, propertyStandby,
      g_param_spec_boolean("standby", "Standby", "Be heard only while nobody else fills the channel", FALSE,
                           flags));
  g_object_class_install_property(
      object, propertyMadeOf,
      g_param_spec_string("made-of", "Made of", "Name of the channel from whose frames these are made, in their time",
                          "", flags));
  GstElementClass* element = GST_ELEMENT_CLASS(type);
  element->change_state = changeState;
  gst_element_class_add_static_pad_template(element, &sinkTemplate);
  gst_element_class_set_static_metadata(element, "Hub sink", "Sink/Video",
                                        "Puts frames into a channel that other pipelines read", "Obscura");
  GstBaseSinkClass* base = GST_BASE_SINK_CLASS(type);
  base->start = start;
  base->stop = stop;
  base->set_caps = setCaps;
  base->render = render;
}

void hub_sink_init(HubSink* sink) {
  GstBaseSink* base = GST_BASE_SINK(sink);
  sink->inlet = new Inlet(base);
  // Frames pass as they come: time is kept by who shows them.
  gst_base_sink_set_sync(base, FALSE);
  gst_base_sink_set_async_enabled(base, FALSE);
  gst_base_sink_set_qos_enabled(base, FALSE);
  gst_base_sink_set_last_sample_enabled(base, FALSE);
}

}  // namespace

bool registerHubSink() {
  return gst_element_register(nullptr, "hubsink", GST_RANK_NONE, hub_sink_get_type()) == TRUE;
}

}  // namespace obscura
