// Reads RTCP from a file, a packet a line in hexadecimal digits, and writes what it was taken for; then reads a great
// deal of rubbish. Built with the sanitizers by rtcp.test.ts.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "../../native/media/rtcp.h"

namespace {

using Packet = std::vector<std::uint8_t>;

/** From memory of exactly its size: the sanitizer sees each byte that is read beyond. */
std::optional<obscura::RtcpNews> readExactly(const Packet& packet) {
  const std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[packet.size()]);
  for (std::size_t at = 0; at < packet.size(); at += 1) copy[at] = packet[at];
  return obscura::readRtcp(copy.get(), packet.size());
}

void tell(const Packet& packet) {
  const auto news = readExactly(packet);
  if (!news.has_value()) {
    std::puts("refused");
    return;
  }
  std::printf("nacks=%u plis=%u firs=%u estimate=%.0f", news->nacks, news->plis, news->firs,
              news->estimateBps.value_or(-1));
  for (const auto& each : news->reports)
    std::printf(" report=%u,%.3f,%d,%u,%u,%u", each.ssrc, each.loss, each.lost, each.jitter, each.lastReport,
                each.delay);
  for (const auto& each : news->ownReports) std::printf(" own=%u,%u", each.ssrc, each.middle);
  std::puts("");
}

Packet fromHex(const std::string& line) {
  Packet packet;
  for (std::size_t at = 0; at + 1 < line.size(); at += 2)
    packet.push_back(static_cast<std::uint8_t>(std::stoi(line.substr(at, 2), nullptr, 16)));
  return packet;
}

/** True packets with a few wrong bytes, cut off anywhere. */
void readRubbish(const std::vector<Packet>& packets) {
  std::mt19937 random(20260);
  for (int turn = 0; turn < 200'000; turn += 1) {
    Packet packet = packets[random() % packets.size()];
    for (std::uint32_t wrong = random() % 4; wrong > 0 && !packet.empty(); wrong -= 1)
      packet[random() % packet.size()] = static_cast<std::uint8_t>(random());
    if (random() % 2 == 0 && !packet.empty()) packet.resize(random() % packet.size());
    readExactly(packet);
  }
}

}  // namespace

int main(int, char** words) {
  std::ifstream file(words[1]);
  std::vector<Packet> packets;
  for (std::string line; std::getline(file, line);) {
    packets.push_back(fromHex(line));
    tell(packets.back());
  }
  readRubbish(packets);
  return 0;
}
