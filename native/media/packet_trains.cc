#include "packet_trains.h"

#include <algorithm>
#include <cstdio>
#include <string>

namespace obscura {
namespace {

/** Packets of one picture leave within this; pictures are further apart. */
constexpr GstClockTime oneGo = 5 * GST_MSECOND;
/** Until the connection stands, packets wait after their time of sending has been noted. */
constexpr GstClockTime warmUp = GST_SECOND;
/** Feedback comes several times a second: after so long no more will come of the last train. */
constexpr GstClockTime noMoreAfter = 500 * GST_MSECOND;
/** Some seconds, should nobody ask. */
constexpr std::size_t mostFinished = 1000;

GstClockTime now() { return static_cast<GstClockTime>(g_get_monotonic_time()) * GST_USECOND; }

std::string milliseconds(GstClockTime time) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3f", static_cast<double>(time) / GST_MSECOND);
  return text;
}

}  // namespace

void PacketTrains::take(const GstStructure* feedback) {
  const GValue* packets = gst_structure_get_value(feedback, "packets");
  if (packets == nullptr) return;
  const std::lock_guard<std::mutex> hold(lock_);
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  auto* list = static_cast<GValueArray*>(g_value_get_boxed(packets));
  for (guint index = 0; list != nullptr && index < list->n_values; index += 1)
    add(static_cast<const GstStructure*>(g_value_get_boxed(g_value_array_get_nth(list, index))));
  G_GNUC_END_IGNORE_DEPRECATIONS
  lastFedAt_ = now();
  isFresh_ = true;
}

void PacketTrains::add(const GstStructure* packet) {
  GstClockTime sent = GST_CLOCK_TIME_NONE;
  GstClockTime arrived = GST_CLOCK_TIME_NONE;
  guint payload = 0;
  gboolean lost = FALSE;
  gst_structure_get(packet, "local-ts", G_TYPE_UINT64, &sent, "remote-ts", G_TYPE_UINT64, &arrived, "size", G_TYPE_UINT,
                    &payload, "lost", G_TYPE_BOOLEAN, &lost, nullptr);
  // Told of once already, or never sent.
  if (!GST_CLOCK_TIME_IS_VALID(sent)) return;
  if (!GST_CLOCK_TIME_IS_VALID(firstSentAt_)) firstSentAt_ = sent;
  if (open_.has_value() && sent >= open_->sentAt + oneGo) finish();
  if (!open_.has_value()) open_ = Train{sent, sent};
  Train& train = *open_;
  train.sentUntil = std::max(train.sentUntil, sent);
  if (lost || !GST_CLOCK_TIME_IS_VALID(arrived)) {
    lost_ += 1;
    train.lost += 1;
    return;
  }
  arrived_ += 1;
  roundTrip_ = now() - sent;
  const std::uint64_t bytes = payload + headerBytes_;
  if (train.packets == 0) {
    train.arrivedAt = train.arrivedUntil = arrived;
    train.firstBytes = bytes;
  }
  train.arrivedAt = std::min(train.arrivedAt, arrived);
  train.arrivedUntil = std::max(train.arrivedUntil, arrived);
  train.packets += 1;
  train.bytes += bytes;
}

void PacketTrains::finish() {
  Train train = *open_;
  open_.reset();
  if (train.sentAt < firstSentAt_ + warmUp) return;
  if (train.packets == 0) {
    // It has no times of arrival, so its losses are told with the next one's.
    lostWhole_ += train.lost;
    return;
  }
  train.lost += lostWhole_;
  lostWhole_ = 0;
  if (finished_.size() < mostFinished) finished_.push_back(train);
}

std::optional<Json> PacketTrains::collect() {
  const std::lock_guard<std::mutex> hold(lock_);
  if (open_.has_value() && now() > lastFedAt_ + noMoreAfter) {
    finish();
    isFresh_ = isFresh_ || !finished_.empty();
  }
  if (!isFresh_) return std::nullopt;
  isFresh_ = false;
  std::string list;
  for (const Train& train : finished_) {
    if (!list.empty()) list += ',';
    list += Json()
                .setRaw("sentAt", milliseconds(train.sentAt))
                .setRaw("sentUntil", milliseconds(train.sentUntil))
                .setRaw("arrivedAt", milliseconds(train.arrivedAt))
                .setRaw("arrivedUntil", milliseconds(train.arrivedUntil))
                .set("packets", train.packets)
                .set("lost", train.lost)
                .set("bytes", train.bytes)
                .set("firstBytes", train.firstBytes)
                .text();
  }
  finished_.clear();
  return Json()
      .setRaw("trains", "[" + list + "]")
      .setRaw("rttMs", GST_CLOCK_TIME_IS_VALID(roundTrip_) ? milliseconds(roundTrip_) : "null");
}

std::optional<Json> PacketTrains::totals() {
  const std::lock_guard<std::mutex> hold(lock_);
  if (!GST_CLOCK_TIME_IS_VALID(lastFedAt_)) return std::nullopt;
  Json json;
  json.set("arrived", arrived_).set("lost", lost_);
  if (GST_CLOCK_TIME_IS_VALID(roundTrip_)) json.setRaw("rttMs", milliseconds(roundTrip_));
  return json;
}

}  // namespace obscura
