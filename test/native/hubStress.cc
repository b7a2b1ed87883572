// The hub under many threads at once: producers that take over from each other while consumers come and go. Built with
// the sanitizers by hubStress.test.ts; says what is wrong and ends with 1 where a promise of the hub is broken.
#include <gst/gst.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../../native/media/channel.h"
#include "../../native/media/events.h"
#include "../../native/media/hubsink.h"
#include "../../native/media/hubsrc.h"
#include "../../native/media/pipelines.h"
#include "../../native/media/tap.h"

namespace obscura {

/** Nobody listens here. */
void tell(const Json&) {}

namespace {

constexpr int producers = 3;
constexpr int consumers = 6;
constexpr int turns = 150;
constexpr int framesEach = 24;
constexpr int keyEvery = 8;
constexpr std::uint32_t frameContent = 0x0b5c07a;

std::atomic<std::int64_t> alive{0};
/** Also shows the sanitizer that reading comes before freeing: it does not see how GStreamer counts references. */
std::atomic<std::uint64_t> offered{0};
std::atomic<bool> done{false};

void fail(const char* what) {
  std::fprintf(stderr, "Broken: %s\n", what);
  std::exit(1);
}

class StressProducer final : public Producer {
 public:
  void requestKeyframe() override {
    wished = true;
    wishes += 1;
  }
  std::string owner() const override { return "stress"; }
  bool isStandby() const override { return false; }
  std::atomic<bool> wished{false};
  std::atomic<std::int64_t> wishes{0};
};

class StressConsumer final : public Consumer {
 public:
  ~StressConsumer() override {
    for (GstBuffer* buffer : held_) gst_buffer_unref(buffer);
  }
  void offer(const UnitPtr& unit) override {
    if (unit->times.captured <= last_) fail("time goes forward for every consumer");
    if (unit->caps() == nullptr) fail("a unit is whole");
    GstBuffer* buffer = unit->share();
    if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT) == unit->isKey) fail("a keyframe stays one");
    std::uint32_t content = 0;
    if (gst_buffer_extract(buffer, 0, &content, sizeof(content)) != sizeof(content) || content != frameContent)
      fail("what is shared is what was put in");
    last_ = unit->times.captured;
    // Longer than the unit lives in the channel.
    held_.push_back(buffer);
    if (held_.size() > 4) {
      gst_buffer_unref(held_.front());
      held_.erase(held_.begin());
    }
    offered += 1;
  }
  std::uint64_t dropped() const override { return 1; }
  std::size_t mostReplayed() const override { return std::numeric_limits<std::size_t>::max(); }

 private:
  GstClockTime last_ = 0;
  std::vector<GstBuffer*> held_;
};

GstBuffer* frame(bool isKey) {
  alive += 1;
  void* bytes = std::malloc(sizeof(std::uint32_t));
  std::memcpy(bytes, &frameContent, sizeof(frameContent));
  GstBuffer* buffer =
      gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, bytes, sizeof(std::uint32_t), 0, sizeof(std::uint32_t),
                                  bytes, [](gpointer given) {
                                    offered.load(std::memory_order_acquire);
                                    std::free(given);
                                    alive -= 1;
                                  });
  if (!isKey) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  return buffer;
}

GstClockTime now() { return static_cast<GstClockTime>(g_get_monotonic_time()) * GST_USECOND; }

void produce(Channel& channel, int number) {
  std::mt19937 random(static_cast<unsigned>(number));
  for (int turn = 0; turn < turns; turn += 1) {
    StressProducer producer;
    const std::uint64_t generation = channel.beginProducing();
    GstCaps* caps = gst_caps_new_simple("video/x-h264", "width", G_TYPE_INT, 64 + turn % 2, nullptr);
    // Clocks of different producers disagree a little.
    const GstClockTime behind = random() % 1'000'000;
    GstClockTime at = 0;
    for (int index = 0; index < framesEach; index += 1) {
      const bool isKey = index % keyEvery == 0 || producer.wished.exchange(false);
      GstBuffer* buffer = frame(isKey);
      at = std::max(at + GST_MSECOND, now() - behind);
      channel.publish(&producer, generation, buffer, caps, {at, at, at});
      gst_buffer_unref(buffer);
      if (random() % 4 == 0) std::this_thread::yield();
    }
    channel.endProducing(&producer);
    gst_caps_unref(caps);
  }
}

void consume(Channel& channel, int number) {
  std::mt19937 random(static_cast<unsigned>(100 + number));
  while (!done) {
    StressConsumer consumer;
    channel.attach(&consumer);
    for (unsigned rest = random() % 200; rest > 0 && !done; rest -= 1) std::this_thread::yield();
    channel.detach(&consumer);
  }
}

/** The one thread that opens taps, as that of JavaScript is. */
void tapInto(const std::string& channel) {
  while (!done) {
    openTap(channel);
    for (int turn = 0; turn < 100 && !done; turn += 1) {
      const auto taken = takeFromTap(channel);
      if (!taken) {
        std::this_thread::yield();
        continue;
      }
      std::uint32_t content = 0;
      if (taken->size() != sizeof(content)) fail("a picture is whole");
      taken->copyTo(reinterpret_cast<std::uint8_t*>(&content));
      if (content != frameContent) fail("what is taken is what was put in");
      offered += 1;
    }
    closeTap(channel);
  }
}

void abuseClasses() {
  const auto channel = Channel::named("stress");
  // Names that GLib keeps for good are made before there are threads: the sanitizer does not see its locks.
  gst_caps_unref(gst_caps_new_simple("video/x-h264", "width", G_TYPE_INT, 64, nullptr));
  std::vector<std::thread> making;
  std::vector<std::thread> taking;
  for (int number = 0; number < producers; number += 1) making.emplace_back([&, number] { produce(*channel, number); });
  for (int number = 0; number < consumers; number += 1) taking.emplace_back([&, number] { consume(*channel, number); });
  taking.emplace_back([] { tapInto("stress"); });
  taking.emplace_back([&channel] {
    while (!done) {
      channel->requestKeyframe();
      channel->liveSince();
      if (Channel::statistics().find("stress") == std::string::npos) fail("the figures name every channel");
      std::this_thread::yield();
    }
  });
  for (auto& each : making) each.join();
  done = true;
  for (auto& each : taking) each.join();
  if (offered == 0) fail("consumers are offered something");
  // A keyframe takes the place of all that was kept.
  StressProducer last;
  const std::uint64_t generation = channel->beginProducing();
  GstCaps* caps = gst_caps_new_empty_simple("video/x-h264");
  GstBuffer* buffer = frame(true);
  const GstClockTime at = now();
  channel->publish(&last, generation, buffer, caps, {at, at, at});
  gst_buffer_unref(buffer);
  gst_caps_unref(caps);
  if (alive != 1) fail("what nobody needs is freed");
  // A crowd of viewers that have lost something share a keyframe, ten of them a second at the most.
  while (last.wishes == 0) channel->requestKeyframe();
  const std::int64_t began = g_get_monotonic_time();
  for (int viewer = 0; viewer < 1000; viewer += 1) channel->requestKeyframe();
  const std::int64_t tenths = (g_get_monotonic_time() - began) / 100'000;
  if (last.wishes > tenths + 2) fail("keyframes are asked for now and then");
  const std::string figures = Channel::statistics();
  if (figures.find("\"consumers\":0") == std::string::npos) fail("consumers that have left are gone");
  channel->endProducing(&last);
}

GstElement* launched(const std::string& text) {
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(text.c_str(), &error);
  if (pipeline == nullptr || error != nullptr) fail(error == nullptr ? "a launch text" : error->message);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  return pipeline;
}

void stop(GstElement* pipeline) {
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

/** Whole pipelines: the source is exchanged, and viewers leave, while frames flow. */
void abuseElements() {
  constexpr int rounds = 40;
  const std::string source =
      "videotestsrc is-live=true ! video/x-raw,format=NV12,width=64,height=64,framerate=100/1 ! hubsink channel=raw";
  GstElement* running = launched(source);
  std::vector<std::thread> viewers;
  for (int number = 0; number < 3; number += 1)
    viewers.emplace_back([] {
      for (int round = 0; round < rounds; round += 1) {
        GstElement* viewer = launched("hubsrc channel=raw max-queue=2 ! fakesink name=end sync=false num-buffers=3");
        GstBus* bus = gst_element_get_bus(viewer);
        GstMessage* message = gst_bus_timed_pop_filtered(
            bus, 10 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
        if (message == nullptr || GST_MESSAGE_TYPE(message) != GST_MESSAGE_EOS) fail("a viewer sees three frames");
        gst_message_unref(message);
        gst_object_unref(bus);
        stop(viewer);
      }
    });
  // One that is sent to and fro all the time, and called back before it has gone.
  GstElement* other = launched(
      "videotestsrc is-live=true ! video/x-raw,format=NV12,width=32,height=32,framerate=50/1 ! hubsink channel=other");
  viewers.emplace_back([] {
    std::mt19937 random(7);
    for (int round = 0; round < rounds; round += 1) {
      GstElement* viewer = launched("hubsrc name=frames channel=raw max-queue=2 ! fakesink sync=false");
      GstElement* reader = gst_bin_get_by_name(GST_BIN(viewer), "frames");
      for (unsigned turn = random() % 8; turn > 0; turn -= 1) {
        g_object_set(reader, "channel", random() % 2 == 0 ? "other" : "raw", nullptr);
        g_usleep(random() % 30'000);
      }
      gst_object_unref(reader);
      stop(viewer);
    }
  });
  for (int round = 0; round < rounds; round += 1) {
    GstElement* next = launched(source);
    gst_element_get_state(next, nullptr, nullptr, GST_SECOND);
    stop(running);
    running = next;
  }
  for (auto& each : viewers) each.join();
  stop(running);
  stop(other);
  if (Channel::statistics().find("\"consumers\":1") != std::string::npos) fail("whoever has left is gone");
}

}  // namespace
}  // namespace obscura

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  obscura::abuseClasses();
  // The libraries beneath are not built for the sanitizer of threads, which would see races in them.
  if (argc > 1 && std::string(argv[1]) == "elements") {
    if (!obscura::registerHubSink() || !obscura::registerHubSrc()) obscura::fail("the elements register");
    obscura::abuseElements();
  }
  return 0;
}
