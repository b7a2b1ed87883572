// The way to one viewer over RTSP: what its player reports of it, collected until somebody asks.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "json.h"
#include "keyframe_budget.h"
#include "rtcp.h"
#include "tcp_socket.h"

namespace obscura {

struct RoundTrip {
  double ms = 0;
  /** How old the report of ours was that was answered. */
  double ageMs = 0;
};

/** What is known of a viewer besides its reports, at one moment. */
struct PathState {
  /** Of the stream, so far. */
  std::uint64_t sentBytes = 0;
  /** Only over TCP, and while something is sent. */
  std::optional<TcpState> tcp;
  std::int64_t heldBytes = 0;
};

/** Its members may be called from any thread. */
class RtspPath {
 public:
  explicit RtspPath(std::uint64_t client);

  void report(const ReceptionReport& given, const std::optional<RoundTrip>& trip);
  /** What the receiver itself thinks of the way. */
  void estimate(double bps);
  void count(const RtcpNews& news);
  /** Asked for each wish of the receiver's. */
  bool mayHaveKeyframe();

  /** Whether its samples need to know what was sent. */
  bool hasReports();
  /** Adds those since the last time, as members of a JSON list. */
  void takeSamples(const PathState& state, std::vector<std::string>& samples);

  /** bit/s over the last seconds, if it is asked for every now and then. */
  std::uint64_t rate(std::uint64_t bytes);
  /** Adds what its reports have said to the description of a client. */
  void describe(Json& client);

 private:
  struct Report {
    std::int64_t at = 0;
    double loss = 0;
    std::int32_t lost = 0;
    double jitterMs = 0;
    std::optional<RoundTrip> trip;
  };
  struct Estimate {
    std::int64_t at = 0;
    double bps = 0;
  };
  struct Sent {
    std::int64_t atUs = 0;
    std::uint64_t bytes = 0;
  };

  Json sample(const char* kind, std::int64_t at) const;
  std::uint64_t sentSinceReport(std::uint64_t bytes);

  const std::string viewer_;
  std::mutex lock_;
  std::vector<Report> reports_;
  std::vector<Estimate> estimates_;
  std::optional<Report> latest_;
  std::optional<double> rttMs_;
  std::optional<double> estimateBps_;
  std::uint64_t nacks_ = 0;
  std::uint64_t plis_ = 0;
  std::uint64_t firs_ = 0;
  KeyframeBudget keyframes_;
  /** When the last report was told, or the way began. */
  Sent reported_;
  std::deque<Sent> sent_;
};

}  // namespace obscura
