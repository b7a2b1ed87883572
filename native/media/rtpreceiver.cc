#include "rtpreceiver.h"

#include <gst/gst.h>
#include <gst/net/gstnetaddressmeta.h>
#include <gst/rtp/gstrtcpbuffer.h>
#include <gst/sdp/sdp.h>

#include <cstring>
#include <mutex>
#include <string>

namespace obscura {
namespace {

/** The session spreads its reports at random around this, never a second apart. */
constexpr guint64 reportEvery = 800 * GST_MSECOND;
constexpr const char* usualCaps = "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000";
constexpr guint remb = 15;
constexpr guint rembWords = 4;
/** Of RTCP, where RTP has its marker and payload type (RFC 5761). */
constexpr guint8 firstReportType = 192;
constexpr guint8 lastReportType = 223;

class Receiver {
 public:
  ~Receiver() {
    g_clear_object(&reportsTo_);
    gst_clear_caps(&caps_);
  }

  /** False where the description makes no sense. */
  bool describe() {
    gst_clear_caps(&caps_);
    isMuxed_ = false;
    if (sdp.empty()) {
      caps_ = gst_caps_from_string(usualCaps);
      return true;
    }
    GstSDPMessage* message = nullptr;
    if (gst_sdp_message_new_from_text(sdp.c_str(), &message) != GST_SDP_OK) return false;
    for (guint index = 0; index < gst_sdp_message_medias_len(message) && caps_ == nullptr; index += 1) {
      const GstSDPMedia* media = gst_sdp_message_get_media(message, index);
      if (g_strcmp0(gst_sdp_media_get_media(media), "video") != 0 || gst_sdp_media_formats_len(media) == 0) continue;
      caps_ = gst_sdp_media_get_caps_from_media(media, std::atoi(gst_sdp_media_get_format(media, 0)));
      if (caps_ == nullptr) continue;
      gst_structure_set_name(gst_caps_get_structure(caps_, 0), "application/x-rtp");
      isMuxed_ = gst_sdp_media_get_attribute_val(media, "rtcp-mux") != nullptr;
    }
    gst_sdp_message_free(message);
    return caps_ != nullptr;
  }

  GstCaps* caps() const { return caps_; }
  bool isMuxed() const { return isMuxed_; }

  /** Where the camera sends its reports from it takes them as well; before it has sent any, beside its packets. */
  void heardFrom(GstBuffer* buffer, bool isReport) {
    const GstNetAddressMeta* meta = gst_buffer_get_net_address_meta(buffer);
    if (meta == nullptr || !G_IS_INET_SOCKET_ADDRESS(meta->addr)) return;
    const std::lock_guard<std::mutex> hold(lock_);
    if (knowsReports_ && !isReport) return;
    knowsReports_ = knowsReports_ || isReport;
    auto* from = G_INET_SOCKET_ADDRESS(meta->addr);
    const guint16 at = g_inet_socket_address_get_port(from);
    const guint16 wanted = isReport || isMuxed_ ? at : static_cast<guint16>(at + 1);
    const bool isSame =
        reportsTo_ != nullptr && g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(reportsTo_)) == wanted &&
        g_inet_address_equal(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(reportsTo_)),
                             g_inet_socket_address_get_address(from)) == TRUE;
    if (isSame) return;
    g_clear_object(&reportsTo_);
    reportsTo_ = g_inet_socket_address_new(g_inet_socket_address_get_address(from), wanted);
  }

  void send(GSocket* socket, GstBuffer* report) {
    const std::lock_guard<std::mutex> hold(lock_);
    if (socket == nullptr || reportsTo_ == nullptr) return;
    GstMapInfo bytes;
    if (!gst_buffer_map(report, &bytes, GST_MAP_READ)) return;
    // One that is lost is followed by the next.
    g_socket_send_to(socket, reportsTo_, reinterpret_cast<const gchar*>(bytes.data), bytes.size, nullptr, nullptr);
    gst_buffer_unmap(report, &bytes);
  }

  guint port = 5006;
  guint bitrate = 20'000'000;
  guint latency = 100;
  std::string sdp;
  std::string address = "0.0.0.0";
  GstPad* source = nullptr;
  GstElement* packets = nullptr;
  GstElement* reports = nullptr;
  GstPad* reportSink = nullptr;

 private:
  std::mutex lock_;
  GstCaps* caps_ = nullptr;
  bool isMuxed_ = false;
  bool knowsReports_ = false;
  GSocketAddress* reportsTo_ = nullptr;
};

struct RtpReceiver {
  GstBin parent;
  Receiver* receiver;
};
struct RtpReceiverClass {
  GstBinClass parent;
};

G_DEFINE_TYPE(RtpReceiver, rtp_receiver, GST_TYPE_BIN)

enum Property { propertyPort = 1, propertyAddress, propertySdp, propertyBitrate, propertyLatency };

Receiver& self(gpointer object) { return *reinterpret_cast<RtpReceiver*>(object)->receiver; }

GstPadProbeReturn onPacket(GstPad*, GstPadProbeInfo* info, gpointer data) {
  Receiver& receiver = *static_cast<Receiver*>(data);
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  guint8 head[2] = {0, 0};
  gst_buffer_extract(buffer, 0, head, sizeof(head));
  const bool isReport = head[1] >= firstReportType && head[1] <= lastReportType;
  receiver.heardFrom(buffer, isReport);
  if (!isReport || !receiver.isMuxed()) return GST_PAD_PROBE_OK;
  gst_pad_chain(receiver.reportSink, gst_buffer_ref(buffer));
  return GST_PAD_PROBE_DROP;
}

GstPadProbeReturn onReport(GstPad*, GstPadProbeInfo* info, gpointer data) {
  static_cast<Receiver*>(data)->heardFrom(GST_PAD_PROBE_INFO_BUFFER(info), true);
  return GST_PAD_PROBE_OK;
}

void onOwnReport(GstElement*, GstBuffer* buffer, GstPad*, gpointer data) {
  Receiver& receiver = *static_cast<Receiver*>(data);
  GSocket* socket = nullptr;
  g_object_get(receiver.isMuxed() ? receiver.packets : receiver.reports, "used-socket", &socket, nullptr);
  receiver.send(socket, buffer);
  g_clear_object(&socket);
}

/** How much may be sent, as draft-alvestrand-rmcat-remb-03 writes it. */
void writeRemb(guint8* fci, guint bitrate, guint32 ssrc) {
  guint exponent = 0;
  while ((bitrate >> exponent) > 0x3ffff) exponent += 1;
  const guint mantissa = bitrate >> exponent;
  std::memcpy(fci, "REMB", 4);
  fci[4] = 1;
  fci[5] = static_cast<guint8>((exponent << 2) | (mantissa >> 16));
  GST_WRITE_UINT16_BE(fci + 6, mantissa & 0xffff);
  GST_WRITE_UINT32_BE(fci + 8, ssrc);
}

/** The last of those that send to us. */
guint32 senderIn(GObject* session) {
  guint32 sender = 0;
  GValueArray* sources = nullptr;
  g_object_get(session, "sources", &sources, nullptr);
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  for (guint index = 0; sources != nullptr && index < sources->n_values; index += 1) {
    auto* source = static_cast<GObject*>(g_value_get_object(g_value_array_get_nth(sources, index)));
    gboolean isSender = FALSE;
    guint ssrc = 0;
    GstStructure* stats = nullptr;
    g_object_get(source, "ssrc", &ssrc, "is-sender", &isSender, "stats", &stats, nullptr);
    gboolean isOurs = FALSE;
    if (stats != nullptr) gst_structure_get_boolean(stats, "internal", &isOurs);
    if (isSender && !isOurs) sender = ssrc;
    if (stats != nullptr) gst_structure_free(stats);
  }
  if (sources != nullptr) g_value_array_free(sources);
  G_GNUC_END_IGNORE_DEPRECATIONS
  return sender;
}

gboolean onSendingReport(GObject* session, GstBuffer* buffer, gboolean, gpointer data) {
  const guint32 sender = senderIn(session);
  guint own = 0;
  g_object_get(session, "internal-ssrc", &own, nullptr);
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  if (sender == 0 || !gst_rtcp_buffer_map(buffer, static_cast<GstMapFlags>(GST_MAP_READWRITE), &rtcp)) return FALSE;
  GstRTCPPacket packet;
  const gboolean added = gst_rtcp_buffer_add_packet(&rtcp, GST_RTCP_TYPE_PSFB, &packet);
  if (added) {
    gst_rtcp_packet_fb_set_type(&packet, static_cast<GstRTCPFBType>(remb));
    gst_rtcp_packet_fb_set_sender_ssrc(&packet, own);
    gst_rtcp_packet_fb_set_media_ssrc(&packet, 0);
    if (gst_rtcp_packet_fb_set_fci_length(&packet, rembWords - 1))
      writeRemb(gst_rtcp_packet_fb_get_fci(&packet), static_cast<Receiver*>(data)->bitrate, sender);
  }
  gst_rtcp_buffer_unmap(&rtcp);
  return added;
}

GstCaps* onUnknownType(GstElement*, guint, guint type, gpointer data) {
  GstCaps* caps = gst_caps_copy(static_cast<Receiver*>(data)->caps());
  gst_caps_set_simple(caps, "payload", G_TYPE_INT, static_cast<gint>(type), nullptr);
  return caps;
}

void onStream(GstElement*, GstPad* pad, gpointer data) {
  if (g_str_has_prefix(GST_PAD_NAME(pad), "recv_rtp_src_"))
    gst_ghost_pad_set_target(GST_GHOST_PAD(static_cast<Receiver*>(data)->source), pad);
}

void probe(GstElement* element, GstPadProbeCallback callback, Receiver& receiver) {
  GstPad* pad = gst_element_get_static_pad(element, "src");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, callback, &receiver, nullptr);
  gst_object_unref(pad);
}

GstElement* newPort(const Receiver& receiver, guint port) {
  GstElement* element = gst_element_factory_make("udpsrc", nullptr);
  g_object_set(element, "address", receiver.address.c_str(), "port", static_cast<gint>(port), nullptr);
  return element;
}

bool build(GstBin* bin) {
  Receiver& receiver = self(bin);
  if (receiver.packets != nullptr) return true;
  if (!receiver.describe()) {
    GST_ELEMENT_ERROR(bin, RESOURCE, SETTINGS, ("The description (SDP) tells of no video"), (nullptr));
    return false;
  }
  GstElement* manager = gst_element_factory_make("rtpbin", nullptr);
  GstElement* sender = gst_element_factory_make("fakesink", nullptr);
  if (manager == nullptr || sender == nullptr) return false;
  g_object_set(manager, "latency", receiver.latency, "drop-on-latency", TRUE, nullptr);
  g_object_set(sender, "sync", FALSE, "async", FALSE, "signal-handoffs", TRUE, nullptr);
  receiver.packets = newPort(receiver, receiver.port);
  g_object_set(receiver.packets, "caps", receiver.caps(), nullptr);
  gst_bin_add_many(bin, receiver.packets, manager, sender, nullptr);
  g_signal_connect(manager, "request-pt-map", G_CALLBACK(onUnknownType), &receiver);
  g_signal_connect(manager, "pad-added", G_CALLBACK(onStream), &receiver);
  g_signal_connect(sender, "handoff", G_CALLBACK(onOwnReport), &receiver);
  gst_element_link_pads(receiver.packets, "src", manager, "recv_rtp_sink_0");
  receiver.reportSink = gst_element_request_pad_simple(manager, "recv_rtcp_sink_0");
  if (!receiver.isMuxed()) {
    receiver.reports = newPort(receiver, receiver.port + 1);
    GstCaps* caps = gst_caps_new_empty_simple("application/x-rtcp");
    g_object_set(receiver.reports, "caps", caps, nullptr);
    gst_caps_unref(caps);
    gst_bin_add(bin, receiver.reports);
    gst_element_link_pads(receiver.reports, "src", manager, "recv_rtcp_sink_0");
    probe(receiver.reports, onReport, receiver);
  }
  probe(receiver.packets, onPacket, receiver);
  gst_element_link_pads(manager, "send_rtcp_src_0", sender, "sink");
  GObject* session = nullptr;
  g_signal_emit_by_name(manager, "get-internal-session", 0, &session);
  g_object_set(session, "rtcp-min-interval", reportEvery, nullptr);
  g_signal_connect(session, "on-sending-rtcp", G_CALLBACK(onSendingReport), &receiver);
  g_object_unref(session);
  return true;
}

GstStateChangeReturn changeState(GstElement* element, GstStateChange change) {
  if (change == GST_STATE_CHANGE_NULL_TO_READY && !build(GST_BIN(element))) return GST_STATE_CHANGE_FAILURE;
  return GST_ELEMENT_CLASS(rtp_receiver_parent_class)->change_state(element, change);
}

void setProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  Receiver& receiver = self(object);
  const gchar* text = id == propertyAddress || id == propertySdp ? g_value_get_string(value) : nullptr;
  if (id == propertyPort)
    receiver.port = g_value_get_uint(value);
  else if (id == propertyBitrate)
    receiver.bitrate = g_value_get_uint(value);
  else if (id == propertyLatency)
    receiver.latency = g_value_get_uint(value);
  else if (id == propertyAddress)
    receiver.address = text == nullptr ? "0.0.0.0" : text;
  else if (id == propertySdp)
    receiver.sdp = text == nullptr ? "" : text;
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void getProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const Receiver& receiver = self(object);
  if (id == propertyPort)
    g_value_set_uint(value, receiver.port);
  else if (id == propertyBitrate)
    g_value_set_uint(value, receiver.bitrate);
  else if (id == propertyLatency)
    g_value_set_uint(value, receiver.latency);
  else if (id == propertyAddress)
    g_value_set_string(value, receiver.address.c_str());
  else if (id == propertySdp)
    g_value_set_string(value, receiver.sdp.c_str());
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void dispose(GObject* object) {
  Receiver& receiver = self(object);
  if (receiver.reportSink != nullptr) gst_object_unref(receiver.reportSink);
  receiver.reportSink = nullptr;
  G_OBJECT_CLASS(rtp_receiver_parent_class)->dispose(object);
}

void finalize(GObject* object) {
  delete &self(object);
  G_OBJECT_CLASS(rtp_receiver_parent_class)->finalize(object);
}

GstStaticPadTemplate srcTemplate =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-rtp"));

void rtp_receiver_class_init(RtpReceiverClass* type) {
  GObjectClass* object = G_OBJECT_CLASS(type);
  object->set_property = setProperty;
  object->get_property = getProperty;
  object->dispose = dispose;
  object->finalize = finalize;
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object, propertyPort,
      g_param_spec_uint("port", "Port", "Of the packets; that of the reports is the next", 1, 65'534, 5006, flags));
  g_object_class_install_property(
      object, propertyBitrate,
      g_param_spec_uint("bitrate", "Bitrate", "bit/s that the camera is told it may send", 1, G_MAXINT, 20'000'000,
                        flags));
  g_object_class_install_property(
      object, propertyLatency,
      g_param_spec_uint("latency", "Latency", "Milliseconds in which packets are put into order", 0, 10'000, 100,
                        flags));
  g_object_class_install_property(
      object, propertyAddress,
      g_param_spec_string("address", "Address", "On which it is listened, or the group that is joined", "0.0.0.0",
                          flags));
  g_object_class_install_property(object, propertySdp,
                                  g_param_spec_string("sdp", "Description", "What is sent (SDP)", "", flags));
  GstElementClass* element = GST_ELEMENT_CLASS(type);
  element->change_state = changeState;
  gst_element_class_add_static_pad_template(element, &srcTemplate);
  gst_element_class_set_static_metadata(element, "RTP receiver", "Source/Network/RTP",
                                        "Takes a stream that a camera sends, and reports back", "Obscura");
}

void rtp_receiver_init(RtpReceiver* element) {
  element->receiver = new Receiver();
  GstPadTemplate* pad = gst_static_pad_template_get(&srcTemplate);
  element->receiver->source = gst_ghost_pad_new_no_target_from_template("src", pad);
  gst_object_unref(pad);
  gst_element_add_pad(GST_ELEMENT(element), element->receiver->source);
  GST_OBJECT_FLAG_SET(element, GST_ELEMENT_FLAG_SOURCE);
}

}  // namespace

bool registerRtpReceiver() {
  return gst_element_register(nullptr, "rtpreceiver", GST_RANK_NONE, rtp_receiver_get_type()) == TRUE;
}

}  // namespace obscura
