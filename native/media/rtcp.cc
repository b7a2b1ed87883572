#include "rtcp.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace obscura {
namespace {

constexpr unsigned senderReport = 200;
constexpr unsigned receiverReport = 201;
constexpr unsigned transportFeedback = 205;
constexpr unsigned payloadFeedback = 206;
constexpr unsigned firstType = 192;
constexpr unsigned lastType = 223;

constexpr unsigned nackFormat = 1;
constexpr unsigned pliFormat = 1;
constexpr unsigned firFormat = 4;
constexpr unsigned applicationFormat = 15;

constexpr std::size_t headSize = 4;
constexpr std::size_t ssrcSize = 4;
constexpr std::size_t senderInfoSize = 20;
constexpr std::size_t reportSize = 24;
constexpr std::size_t rembSize = 8;

/** A minute of the clock of video: more is what players say who have only begun to count, and those who lie. */
constexpr std::uint32_t mostJitter = 60 * 90'000;
/** The numbers go to 10^24, which is more than a number of bits in a second can be anywhere. */
constexpr double mostBps = 1e12;

/** Bytes whose end is known. */
struct Bytes {
  const std::uint8_t* data;
  std::size_t size;

  std::uint32_t u8(std::size_t at) const { return data[at]; }
  std::uint32_t u16(std::size_t at) const { return u8(at) << 8 | u8(at + 1); }
  std::uint32_t u24(std::size_t at) const { return u8(at) << 16 | u16(at + 1); }
  std::uint32_t u32(std::size_t at) const { return u16(at) << 16 | u16(at + 2); }
  Bytes from(std::size_t at) const { return {data + at, size - at}; }
};

ReceptionReport readReport(const Bytes& block) {
  ReceptionReport report;
  report.ssrc = block.u32(0);
  report.loss = block.u8(4) / 256.0;
  // 24 bits with a sign.
  report.lost = static_cast<std::int32_t>(block.u24(5) << 8) >> 8;
  report.jitter = block.u32(12);
  report.lastReport = block.u32(16);
  report.delay = block.u32(20);
  return report;
}

bool readReports(const Bytes& body, unsigned count, RtcpNews& news) {
  if (body.size < count * reportSize) return false;
  for (unsigned index = 0; index < count; index += 1) {
    const ReceptionReport report = readReport(body.from(index * reportSize));
    if (report.jitter <= mostJitter) news.reports.push_back(report);
  }
  return true;
}

bool readSender(const Bytes& body, unsigned count, RtcpNews& news) {
  if (body.size < ssrcSize + senderInfoSize) return false;
  // The middle 32 of the 64 bits of the time.
  news.ownReports.push_back({body.u32(0), body.u32(ssrcSize + 2)});
  return readReports(body.from(ssrcSize + senderInfoSize), count, news);
}

bool readReceiver(const Bytes& body, unsigned count, RtcpNews& news) {
  return body.size >= ssrcSize && readReports(body.from(ssrcSize), count, news);
}

/** draft-alvestrand-rmcat-remb-03: 6 bits of exponent and 18 of mantissa. Other applications say other things here. */
bool readEstimate(const Bytes& about, RtcpNews& news) {
  if (about.size < rembSize || std::memcmp(about.data, "REMB", 4) != 0) return true;
  const std::uint32_t packed = about.u24(5);
  if (about.size < rembSize + about.u8(4) * ssrcSize) return false;
  news.estimateBps = std::min(std::ldexp(packed & 0x3ffff, static_cast<int>(packed >> 18)), mostBps);
  return true;
}

bool readFeedback(const Bytes& body, unsigned type, unsigned format, RtcpNews& news) {
  if (body.size < 2 * ssrcSize) return false;
  if (type == transportFeedback) {
    if (format == nackFormat) news.nacks += 1;
    return true;
  }
  if (format == pliFormat) news.plis += 1;
  if (format == firFormat) news.firs += 1;
  return format != applicationFormat || readEstimate(body.from(2 * ssrcSize), news);
}

bool readPacket(const Bytes& body, unsigned type, unsigned count, RtcpNews& news) {
  switch (type) {
    case senderReport:
      return readSender(body, count, news);
    case receiverReport:
      return readReceiver(body, count, news);
    case transportFeedback:
    case payloadFeedback:
      return readFeedback(body, type, count, news);
    default:
      // Names, farewells and what was invented later.
      return true;
  }
}

}  // namespace

std::optional<RtcpNews> readRtcp(const std::uint8_t* data, std::size_t size) {
  RtcpNews news;
  Bytes rest{data, size};
  if (size == 0) return std::nullopt;
  while (rest.size > 0) {
    if (rest.size < headSize) return std::nullopt;
    const unsigned version = rest.u8(0) >> 6;
    const bool isPadded = (rest.u8(0) & 0x20) != 0;
    const unsigned count = rest.u8(0) & 0x1f;
    const unsigned type = rest.u8(1);
    const std::size_t length = headSize + rest.u16(2) * 4;
    if (version != 2 || type < firstType || type > lastType || length > rest.size) return std::nullopt;
    std::size_t end = length;
    if (isPadded) {
      // Only the last packet may be, and the last byte tells by how much.
      const std::size_t padding = rest.u8(length - 1);
      if (length != rest.size || padding == 0 || padding > length - headSize) return std::nullopt;
      end -= padding;
    }
    if (!readPacket({rest.data + headSize, end - headSize}, type, count, news)) return std::nullopt;
    rest = rest.from(length);
  }
  return news;
}

}  // namespace obscura
