#include "rtp_reports.h"

#include <algorithm>

#include "pipelines.h"

namespace obscura {
namespace {

template <typename Look>
void eachSource(GObject* session, Look look) {
  GstStructure* stats = nullptr;
  g_object_get(session, "stats", &stats, nullptr);
  if (stats == nullptr) return;
  const GValue* sources = gst_structure_get_value(stats, "source-stats");
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  auto* list = sources == nullptr ? nullptr : static_cast<GValueArray*>(g_value_get_boxed(sources));
  for (guint index = 0; list != nullptr && index < list->n_values; index += 1)
    look(static_cast<const GstStructure*>(g_value_get_boxed(g_value_array_get_nth(list, index))));
  G_GNUC_END_IGNORE_DEPRECATIONS
  gst_structure_free(stats);
}

bool isSet(const GstStructure* source, const char* name) {
  gboolean value = FALSE;
  return gst_structure_get_boolean(source, name, &value) && value;
}

}  // namespace

std::optional<Json> receiverReport(GObject* session, const std::string& from) {
  std::optional<Json> report;
  eachSource(session, [&](const GstStructure* source) {
    const gchar* address = gst_structure_get_string(source, "rtcp-from");
    if (!isSet(source, "have-rb")) return;
    if (!from.empty() && (address == nullptr || from != address)) return;
    guint fraction = 0;
    gint lost = 0;
    guint jitter = 0;
    guint roundTrip = 0;
    gst_structure_get_uint(source, "rb-fractionlost", &fraction);
    gst_structure_get_int(source, "rb-packetslost", &lost);
    gst_structure_get_uint(source, "rb-jitter", &jitter);
    gst_structure_get_uint(source, "rb-round-trip", &roundTrip);
    report = Json()
                 .set("lossPercent", fraction / 2.56)
                 .set("lost", static_cast<std::int64_t>(std::max(lost, 0)))
                 .set("jitterMs", jitter / 90.0)
                 .set("rttMs", roundTrip / 65.536);
  });
  return report;
}

std::optional<SenderReport> senderReport(GObject* session, std::uint32_t ssrc) {
  std::optional<SenderReport> report;
  eachSource(session, [&](const GstStructure* source) {
    guint own = 0;
    SenderReport found;
    if (!gst_structure_get_uint(source, "ssrc", &own) || own != ssrc || !isSet(source, "have-sr")) return;
    gst_structure_get_uint64(source, "sr-ntptime", &found.ntpTime);
    gst_structure_get_uint(source, "sr-rtptime", &found.rtpTime);
    report = found;
  });
  return report;
}

void tellTimesOfCapture(GstElement* element) {
  GstElement* manager = findInPipeline(element, "rtpbin");
  if (manager == nullptr) return;
  g_object_set(manager, "rtcp-sync-send-time", FALSE, nullptr);
  gst_object_unref(manager);
}

Requests requestsReceived(GObject* session) {
  Requests all;
  eachSource(session, [&all](const GstStructure* source) {
    guint nacks = 0;
    guint plis = 0;
    guint firs = 0;
    if (!isSet(source, "internal")) return;
    gst_structure_get_uint(source, "recv-nack-count", &nacks);
    gst_structure_get_uint(source, "recv-pli-count", &plis);
    gst_structure_get_uint(source, "recv-fir-count", &firs);
    all.nacks += nacks;
    all.plis += plis;
    all.firs += firs;
  });
  return all;
}

std::uint64_t bytesSent(GObject* session) {
  std::uint64_t bytes = 0;
  eachSource(session, [&bytes](const GstStructure* source) {
    guint64 octets = 0;
    if (isSet(source, "internal") && gst_structure_get_uint64(source, "octets-sent", &octets)) bytes += octets;
  });
  return bytes;
}

}  // namespace obscura
