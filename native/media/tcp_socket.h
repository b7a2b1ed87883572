// What the system knows of a TCP connection that video is sent over, and how much of it may hide there.
#pragma once

#include <cstdint>
#include <optional>

namespace obscura {

struct TcpState {
  /** Given to the system and not acknowledged. */
  std::int64_t queuedBytes = 0;
  /** Of that, not even sent for the first time. */
  std::int64_t unsentBytes = 0;
  std::int64_t ackedBytes = 0;
  double rttMs = 0;
  double minRttMs = 0;
  /** Nothing where there was too little to send to measure anything. */
  std::optional<std::int64_t> deliveryBps;
};

/** Nothing where it is no such connection. */
std::optional<TcpState> stateOfTcp(int socket);

/** By itself the system would take seconds of video that nobody can shed any more. */
void keepTcpQueueShort(int socket);

}  // namespace obscura
