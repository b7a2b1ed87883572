#include "rtp_pictures.h"

#include <gst/rtp/gstrtpbuffer.h>

namespace obscura {
namespace {

constexpr gsize timestampAt = 4;

/** RFC 7798: a picture that can be decoded alone, or the parameters that come before it. */
bool beginsHevcKeyframe(GstBuffer* packet) {
  constexpr guint firstAlone = 16;
  constexpr guint lastAlone = 23;
  constexpr guint firstParameters = 32;
  constexpr guint lastParameters = 34;
  constexpr guint together = 48;
  constexpr guint inParts = 49;
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  if (!gst_rtp_buffer_map(packet, GST_MAP_READ, &rtp)) return false;
  const auto* payload = static_cast<const guint8*>(gst_rtp_buffer_get_payload(&rtp));
  const guint size = gst_rtp_buffer_get_payload_len(&rtp);
  guint type = size > 2 ? payload[0] >> 1 & 0x3f : 0;
  // Of several together the first follows its length; of one in parts the third byte tells.
  if (type == inParts) type = payload[2] & 0x3f;
  if (type == together) type = size > 4 ? payload[4] >> 1 & 0x3f : 0;
  gst_rtp_buffer_unmap(&rtp);
  return (type >= firstAlone && type <= lastAlone) || (type >= firstParameters && type <= lastParameters);
}

}  // namespace

/** rtph265pay of GStreamer 1.22 marks every packet as depending on others, as those of other codecs do not. */
KeySign keySignOf(const GstCaps* caps) {
  const gchar* encoding =
      caps == nullptr ? nullptr : gst_structure_get_string(gst_caps_get_structure(caps, 0), "encoding-name");
  return g_strcmp0(encoding, "H265") == 0 ? KeySign::hevc : KeySign::flag;
}

RtpPicture pictureOf(GstBuffer* packet, KeySign sign) {
  guint8 timestamp[4] = {};
  gst_buffer_extract(packet, timestampAt, timestamp, sizeof(timestamp));
  return {GST_READ_UINT32_BE(timestamp), sign == KeySign::hevc
                                             ? beginsHevcKeyframe(packet)
                                             : !GST_BUFFER_FLAG_IS_SET(packet, GST_BUFFER_FLAG_DELTA_UNIT)};
}

GstBuffer* firstOf(GstMiniObject* packets) {
  if (!GST_IS_BUFFER_LIST(packets)) return GST_BUFFER(packets);
  GstBufferList* list = GST_BUFFER_LIST(packets);
  return gst_buffer_list_length(list) == 0 ? nullptr : gst_buffer_list_get(list, 0);
}

}  // namespace obscura
