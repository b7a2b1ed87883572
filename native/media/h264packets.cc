#include "h264packets.h"

#include <gst/gst.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "keyframe_budget.h"
#include "packet_trains.h"

namespace obscura {
namespace {

/** With all that is wrapped around it, a packet still fits through the tunnels in common use. */
constexpr std::size_t mostPacketBytes = 1350;
constexpr std::size_t fixedHeaderBytes = 12;
/** Two words: that there are extensions, and the one that the session numbers when it sends. */
constexpr std::size_t extensionBytes = 8;
constexpr std::size_t fragmentHeaderBytes = 2;
constexpr std::uint64_t clockRate = 90'000;

constexpr std::uint8_t version2 = 0x80;
constexpr std::uint8_t hasExtension = 0x10;
constexpr std::uint8_t marker = 0x80;
constexpr std::uint8_t typeMask = 0x1f;
constexpr std::uint8_t accessUnitDelimiter = 9;
constexpr std::uint8_t fragment = 28;
constexpr std::uint8_t fragmentStart = 0x80;
constexpr std::uint8_t fragmentEnd = 0x40;

constexpr const char* congestionUri = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/** Those beyond need another kind of header. */
constexpr int highestExtension = 14;
/** Upstream, with each feedback of the receiver on packets that carry those numbers. */
constexpr const char* feedbackEvent = "RTPTWCCPackets";
/** Beside the payload, which is what feedback tells: with the tag of SRTP, and the headers of UDP and IPv4. */
constexpr std::size_t bytesAround = fixedHeaderBytes + extensionBytes + 10 + 8 + 20;

struct Bytes {
  const std::uint8_t* begin;
  const std::uint8_t* end;
  std::size_t size() const { return static_cast<std::size_t>(end - begin); }
};

/** Where the next start code (00 00 01) begins; the end where there is none. */
const std::uint8_t* nextStartCode(Bytes bytes) {
  const std::uint8_t* at = bytes.begin;
  while (bytes.end - at >= 3) {
    at = static_cast<const std::uint8_t*>(std::memchr(at, 0, static_cast<std::size_t>(bytes.end - at) - 2));
    if (at == nullptr) break;
    if (at[1] == 0 && at[2] == 1) return at;
    at += 1;
  }
  return bytes.end;
}

template <typename Act>
void eachNal(Bytes unit, Act act) {
  const std::uint8_t* at = nextStartCode(unit);
  while (at < unit.end) {
    const std::uint8_t* begin = at + 3;
    at = nextStartCode({begin, unit.end});
    const std::uint8_t* end = at;
    // Zeros before a start code are filling.
    while (end > begin && end[-1] == 0) end -= 1;
    if (end > begin && (*begin & typeMask) != accessUnitDelimiter) act(Bytes{begin, end});
  }
}

std::uint8_t* put16(std::uint8_t* at, std::uint16_t value) {
  GST_WRITE_UINT16_BE(at, value);
  return at + 2;
}

std::uint8_t* put32(std::uint8_t* at, std::uint32_t value) {
  GST_WRITE_UINT32_BE(at, value);
  return at + 4;
}

std::uint8_t* put(std::uint8_t* at, Bytes bytes) {
  std::memcpy(at, bytes.begin, bytes.size());
  return at + bytes.size();
}

/** What every session begins with by chance, and what it is told. */
class Stream {
 public:
  void describe(const GstCaps* caps) {
    const GstStructure* said = gst_caps_get_structure(caps, 0);
    gint payloadType = 96;
    gst_structure_get_int(said, "payload", &payloadType);
    payloadType_ = static_cast<std::uint8_t>(payloadType);
    congestionId_ = 0;
    for (int id = 1; id <= highestExtension; id += 1)
      if (g_strcmp0(gst_structure_get_string(said, ("extmap-" + std::to_string(id)).c_str()), congestionUri) == 0)
        congestionId_ = static_cast<std::uint8_t>(id);
  }

  /** The caller owns the list, which is empty where the unit is. */
  GstBufferList* packetsOf(Bytes unit, GstClockTime runningTime) {
    timestamp_ = offset_ + static_cast<std::uint32_t>(gst_util_uint64_scale(runningTime, clockRate, GST_SECOND));
    list_ = gst_buffer_list_new_sized(static_cast<guint>(unit.size() / mostPacketBytes + 4));
    eachNal(unit, [this](Bytes nal) { add(nal); });
    markLast();
    return list_;
  }

  std::uint32_t ssrc() const { return ssrc_; }

 private:
  std::size_t headerBytes() const { return fixedHeaderBytes + (congestionId_ == 0 ? 0 : extensionBytes); }

  void add(Bytes nal) {
    const std::size_t room = mostPacketBytes - headerBytes();
    if (nal.size() <= room) {
      addPacket({nal.begin, nal.begin}, nal);
      return;
    }
    // The first byte travels in the headers of the fragments.
    const std::uint8_t type = *nal.begin & typeMask;
    const auto indicator = static_cast<std::uint8_t>((*nal.begin & ~typeMask) | fragment);
    const std::uint8_t* const begin = nal.begin + 1;
    for (const std::uint8_t* at = begin; at < nal.end;) {
      const std::size_t left = static_cast<std::size_t>(nal.end - at);
      const std::uint8_t* end = at + std::min(room - fragmentHeaderBytes, left);
      const std::uint8_t place = (at == begin ? fragmentStart : 0) | (end == nal.end ? fragmentEnd : 0);
      const std::uint8_t header[] = {indicator, static_cast<std::uint8_t>(place | type)};
      addPacket({header, header + fragmentHeaderBytes}, {at, end});
      at = end;
    }
  }

  void addPacket(Bytes head, Bytes body) {
    GstBuffer* packet = gst_buffer_new_allocate(nullptr, headerBytes() + head.size() + body.size(), nullptr);
    GstMapInfo map;
    if (gst_buffer_map(packet, &map, GST_MAP_WRITE)) {
      std::uint8_t* at = map.data;
      *at++ = version2 | (congestionId_ == 0 ? 0 : hasExtension);
      *at++ = payloadType_;
      at = put16(at, sequence_++);
      at = put32(at, timestamp_);
      at = put32(at, ssrc_);
      if (congestionId_ != 0) {
        // One word of extensions with one-byte headers: an identifier, the length less one, two bytes and a filler.
        at = put32(at, 0xbede0001);
        at = put32(at, static_cast<std::uint32_t>(congestionId_) << 28 | 1U << 24);
      }
      put(put(at, head), body);
      gst_buffer_unmap(packet, &map);
    }
    gst_buffer_list_add(list_, packet);
  }

  void markLast() {
    const guint count = gst_buffer_list_length(list_);
    if (count == 0) return;
    GstBuffer* last = gst_buffer_list_get_writable(list_, count - 1);
    const std::uint8_t marked = marker | payloadType_;
    gst_buffer_fill(last, 1, &marked, 1);
    GST_BUFFER_FLAG_SET(last, GST_BUFFER_FLAG_MARKER);
  }

  const std::uint32_t ssrc_ = g_random_int();
  const std::uint32_t offset_ = g_random_int();
  std::uint16_t sequence_ = static_cast<std::uint16_t>(g_random_int());
  std::uint32_t timestamp_ = 0;
  std::uint8_t payloadType_ = 96;
  std::uint8_t congestionId_ = 0;
  GstBufferList* list_ = nullptr;
};

struct H264Packets {
  GstElement parent;
  GstPad* source;
  GstCaps* caps;
  Stream* stream;
  PacketTrains* trains;
  /** Of the receiver, whose wishes come from the session. */
  KeyframeBudget* keyframes;
  GstSegment segment;
};
struct H264PacketsClass {
  GstElementClass parent;
};

G_DEFINE_TYPE(H264Packets, h264_packets, GST_TYPE_ELEMENT)

enum Property { propertyCaps = 1 };

H264Packets* self(gpointer object) { return reinterpret_cast<H264Packets*>(object); }

GstFlowReturn chain(GstPad*, GstObject* parent, GstBuffer* unit) {
  H264Packets* element = self(parent);
  const GstClockTime presented = GST_BUFFER_PTS(unit);
  const GstClockTime running = gst_segment_to_running_time(&element->segment, GST_FORMAT_TIME, presented);
  GstMapInfo map;
  if (!GST_CLOCK_TIME_IS_VALID(running) || !gst_buffer_map(unit, &map, GST_MAP_READ)) {
    gst_buffer_unref(unit);
    return GST_FLOW_OK;
  }
  GstBufferList* list = element->stream->packetsOf({map.data, map.data + map.size}, running);
  gst_buffer_unmap(unit, &map);
  for (guint index = 0; index < gst_buffer_list_length(list); index += 1) {
    GstBuffer* packet = gst_buffer_list_get(list, index);
    GST_BUFFER_PTS(packet) = GST_BUFFER_DTS(packet) = presented;
    if (GST_BUFFER_FLAG_IS_SET(unit, GST_BUFFER_FLAG_DELTA_UNIT))
      GST_BUFFER_FLAG_SET(packet, GST_BUFFER_FLAG_DELTA_UNIT);
  }
  gst_buffer_unref(unit);
  if (gst_buffer_list_length(list) > 0) return gst_pad_push_list(element->source, list);
  gst_buffer_list_unref(list);
  return GST_FLOW_OK;
}

/** The sizes of the pictures are said in the pictures: what leaves here stays the same when they change. */
gboolean sinkEvent(GstPad* pad, GstObject* parent, GstEvent* given) {
  H264Packets* element = self(parent);
  if (GST_EVENT_TYPE(given) == GST_EVENT_SEGMENT) gst_event_copy_segment(given, &element->segment);
  if (GST_EVENT_TYPE(given) != GST_EVENT_CAPS) return gst_pad_event_default(pad, parent, given);
  gst_event_unref(given);
  GstCaps* caps = gst_caps_copy(element->caps);
  gst_caps_set_simple(caps, "ssrc", G_TYPE_UINT, element->stream->ssrc(), nullptr);
  const gboolean taken = gst_pad_push_event(element->source, gst_event_new_caps(caps));
  gst_caps_unref(caps);
  return taken;
}

gboolean sourceEvent(GstPad* pad, GstObject* parent, GstEvent* given) {
  H264Packets* element = self(parent);
  const GstStructure* said = gst_event_get_structure(given);
  const bool isFeedback = said != nullptr && gst_structure_has_name(said, feedbackEvent);
  const bool isTooMuch =
      gst_video_event_is_force_key_unit(given) && !element->keyframes->spend(g_get_monotonic_time());
  if (!isFeedback && !isTooMuch) return gst_pad_event_default(pad, parent, given);
  if (isFeedback) element->trains->take(said);
  gst_event_unref(given);
  return TRUE;
}

gboolean sourceQuery(GstPad* pad, GstObject* parent, GstQuery* asked) {
  if (GST_QUERY_TYPE(asked) != GST_QUERY_CAPS) return gst_pad_query_default(pad, parent, asked);
  gst_query_set_caps_result(asked, self(parent)->caps);
  return TRUE;
}

void setProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  if (id != propertyCaps) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    return;
  }
  const GstCaps* given = gst_value_get_caps(value);
  if (given == nullptr || !gst_caps_is_fixed(given)) {
    g_warning("h264packets needs caps that leave nothing open");
    return;
  }
  gst_caps_replace(&self(object)->caps, const_cast<GstCaps*>(given));
  self(object)->stream->describe(given);
}

void getProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (id == propertyCaps)
    gst_value_set_caps(value, self(object)->caps);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void finalize(GObject* object) {
  delete self(object)->stream;
  delete self(object)->trains;
  delete self(object)->keyframes;
  gst_caps_replace(&self(object)->caps, nullptr);
  G_OBJECT_CLASS(h264_packets_parent_class)->finalize(object);
}

GstStaticPadTemplate sinkTemplate = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-h264,stream-format=byte-stream,alignment=au"));
GstStaticPadTemplate sourceTemplate =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-rtp"));

void h264_packets_class_init(H264PacketsClass* type) {
  GObjectClass* object = G_OBJECT_CLASS(type);
  object->set_property = setProperty;
  object->get_property = getProperty;
  object->finalize = finalize;
  g_object_class_install_property(
      object, propertyCaps,
      g_param_spec_boxed("caps", "Caps", "What leaves: the payload type and the extensions of the session",
                         GST_TYPE_CAPS, static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)));
  GstElementClass* element = GST_ELEMENT_CLASS(type);
  gst_element_class_add_static_pad_template(element, &sinkTemplate);
  gst_element_class_add_static_pad_template(element, &sourceTemplate);
  gst_element_class_set_static_metadata(element, "H.264 packets", "Codec/Payloader/Network/RTP",
                                        "Packs access units into RTP packets of one piece each", "Obscura");
}

void h264_packets_init(H264Packets* element) {
  element->stream = new Stream();
  element->trains = new PacketTrains(bytesAround);
  element->keyframes = new KeyframeBudget();
  element->caps = gst_caps_from_string("application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=96");
  gst_segment_init(&element->segment, GST_FORMAT_TIME);
  GstPad* sink = gst_pad_new_from_static_template(&sinkTemplate, "sink");
  gst_pad_set_chain_function(sink, chain);
  gst_pad_set_event_function(sink, sinkEvent);
  gst_element_add_pad(GST_ELEMENT(element), sink);
  element->source = gst_pad_new_from_static_template(&sourceTemplate, "src");
  gst_pad_set_event_function(element->source, sourceEvent);
  gst_pad_set_query_function(element->source, sourceQuery);
  gst_element_add_pad(GST_ELEMENT(element), element->source);
}

}  // namespace

bool registerH264Packets() {
  return gst_element_register(nullptr, "h264packets", GST_RANK_NONE, h264_packets_get_type()) == TRUE;
}

PacketTrains& trainsOf(GstElement* element) { return *self(element)->trains; }

std::uint32_t ssrcOf(GstElement* element) { return self(element)->stream->ssrc(); }

}  // namespace obscura
