#include "tcp_socket.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace obscura {
namespace {

/**
 * Bytes that wait to be sent for the first time: a quarter of a second at 2 Mbit/s. A small send buffer (SO_SNDBUF)
 * would also bound what is under way, and with it what a long way can carry.
 */
constexpr int mostUnsent = 64 * 1024;
/** What the system says where it has not measured yet. */
constexpr std::uint32_t noMinimum = UINT32_MAX;

}  // namespace

std::optional<TcpState> stateOfTcp(int socket) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  int queued = 0;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || ioctl(socket, SIOCOUTQ, &queued) != 0)
    return std::nullopt;
  TcpState state;
  state.queuedBytes = queued;
  state.unsentBytes = info.tcpi_notsent_bytes;
  state.ackedBytes = static_cast<std::int64_t>(info.tcpi_bytes_acked);
  state.rttMs = info.tcpi_rtt / 1000.0;
  state.minRttMs = info.tcpi_min_rtt == noMinimum ? state.rttMs : info.tcpi_min_rtt / 1000.0;
  if (info.tcpi_delivery_rate > 0 && !info.tcpi_delivery_rate_app_limited)
    state.deliveryBps = static_cast<std::int64_t>(info.tcpi_delivery_rate) * 8;
  return state;
}

void keepTcpQueueShort(int socket) {
  setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &mostUnsent, sizeof(mostUnsent));
}

}  // namespace obscura
