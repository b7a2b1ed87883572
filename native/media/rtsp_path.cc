#include "rtsp_path.h"

#include <glib.h>

#include <algorithm>

namespace obscura {
namespace {

/** More is not kept where nobody asks for it. */
constexpr std::size_t mostWaiting = 64;
constexpr std::int64_t rateWindowUs = 3 * G_USEC_PER_SEC;
/** Of the clock of all video that is sent here, in one millisecond. */
constexpr double ticksPerMs = 90;

std::int64_t monotonicMs() { return g_get_monotonic_time() / 1000; }

std::uint64_t bitsPerSecond(std::uint64_t bytes, std::int64_t us) {
  return us <= 0 ? 0 : static_cast<std::uint64_t>(static_cast<double>(bytes) * 8 * G_USEC_PER_SEC / static_cast<double>(us));
}

template <typename Item>
void keep(std::vector<Item>& waiting, const Item& item) {
  if (waiting.size() >= mostWaiting) waiting.erase(waiting.begin());
  waiting.push_back(item);
}

void setOrNull(Json& json, const char* key, const std::optional<double>& value) {
  if (value.has_value())
    json.set(key, *value);
  else
    json.setRaw(key, "null");
}

}  // namespace

RtspPath::RtspPath(std::uint64_t client) : viewer_("rtsp-" + std::to_string(client)) {
  reported_.atUs = g_get_monotonic_time();
}

void RtspPath::report(const ReceptionReport& given, const std::optional<RoundTrip>& trip) {
  const std::lock_guard<std::mutex> hold(lock_);
  latest_ = Report{monotonicMs(), given.loss, given.lost, given.jitter / ticksPerMs, trip};
  if (trip.has_value()) rttMs_ = trip->ms;
  keep(reports_, *latest_);
}

void RtspPath::estimate(double bps) {
  const std::lock_guard<std::mutex> hold(lock_);
  estimateBps_ = bps;
  keep(estimates_, Estimate{monotonicMs(), bps});
}

void RtspPath::count(const RtcpNews& news) {
  const std::lock_guard<std::mutex> hold(lock_);
  nacks_ += news.nacks;
  plis_ += news.plis;
  firs_ += news.firs;
}

bool RtspPath::mayHaveKeyframe() {
  const std::lock_guard<std::mutex> hold(lock_);
  return keyframes_.spend(g_get_monotonic_time());
}

bool RtspPath::hasReports() {
  const std::lock_guard<std::mutex> hold(lock_);
  return !reports_.empty();
}

Json RtspPath::sample(const char* kind, std::int64_t at) const {
  Json json;
  json.set("kind", kind).set("viewer", viewer_).set("at", at);
  return json;
}

std::uint64_t RtspPath::sentSinceReport(std::uint64_t bytes) {
  const Sent now{g_get_monotonic_time(), bytes};
  // Whoever plays anew is counted anew.
  const std::uint64_t more = bytes >= reported_.bytes ? bytes - reported_.bytes : bytes;
  const std::uint64_t bps = bitsPerSecond(more, now.atUs - reported_.atUs);
  reported_ = now;
  return bps;
}

void RtspPath::takeSamples(const PathState& state, std::vector<std::string>& samples) {
  const std::lock_guard<std::mutex> hold(lock_);
  if (!reports_.empty()) {
    const std::uint64_t sentBps = sentSinceReport(state.sentBytes);
    for (const Report& each : reports_) {
      Json json = sample("report", each.at);
      json.set("loss", each.loss).set("jitterMs", each.jitterMs);
      setOrNull(json, "rttMs", each.trip.has_value() ? std::optional(each.trip->ms) : std::nullopt);
      setOrNull(json, "rttAgeMs", each.trip.has_value() ? std::optional(each.trip->ageMs) : std::nullopt);
      samples.push_back(json.set("sentBps", sentBps).text());
    }
    reports_.clear();
  }
  for (const Estimate& each : estimates_)
    samples.push_back(sample("estimate", each.at).set("bps", static_cast<std::uint64_t>(each.bps)).text());
  estimates_.clear();
  if (!state.tcp.has_value()) return;
  Json json = sample("socket", monotonicMs());
  json.set("queuedBytes", state.tcp->queuedBytes)
      .set("unsentBytes", state.tcp->unsentBytes)
      .set("ackedBytes", state.tcp->ackedBytes)
      .set("heldBytes", state.heldBytes)
      .set("rttMs", state.tcp->rttMs)
      .set("minRttMs", state.tcp->minRttMs);
  if (state.tcp->deliveryBps.has_value())
    json.set("deliveryBps", *state.tcp->deliveryBps);
  else
    json.setRaw("deliveryBps", "null");
  samples.push_back(json.text());
}

std::uint64_t RtspPath::rate(std::uint64_t bytes) {
  const std::lock_guard<std::mutex> hold(lock_);
  const std::int64_t now = g_get_monotonic_time();
  if (!sent_.empty() && bytes < sent_.back().bytes) sent_.clear();
  sent_.push_back({now, bytes});
  while (sent_.size() > 2 && now - sent_.front().atUs > rateWindowUs) sent_.pop_front();
  return bitsPerSecond(bytes - sent_.front().bytes, now - sent_.front().atUs);
}

void RtspPath::describe(Json& client) {
  const std::lock_guard<std::mutex> hold(lock_);
  client.set("nacks", nacks_).set("plis", plis_).set("firs", firs_);
  if (estimateBps_.has_value()) client.set("estimateBps", static_cast<std::uint64_t>(*estimateBps_));
  if (!latest_.has_value()) return;
  client.setRaw("report", Json()
                              .set("lossPercent", latest_->loss * 100)
                              .set("lost", static_cast<std::int64_t>(std::max(latest_->lost, 0)))
                              .set("jitterMs", latest_->jitterMs)
                              .set("rttMs", rttMs_.value_or(0))
                              .text());
}

}  // namespace obscura
