// What comes of the RTCP of viewers, where no network is and no time passes. Built with the sanitizers by
// rtcpDesk.test.ts.
#include <gst/gst.h>
#include <gst/video/video.h>

#include <cstdio>
#include <cstdlib>

#include "../../native/media/h264packets.h"
#include "../../native/media/hubsrc.h"
#include "../../native/media/keyframe_budget.h"
#include "../../native/media/rtcp_desk.h"

namespace obscura {

namespace {
int keyframesAskedFor = 0;
}  // namespace

/** In the place of the hub's. */
void requestKeyframes(GstElement*) { keyframesAskedFor += 1; }

}  // namespace obscura

namespace {

using obscura::RtcpDesk;
using obscura::RtcpOrigin;
using obscura::RtspPath;

/** Longer than what times are told in. */
constexpr gulong aWhileUs = 2000;
const RtcpOrigin viewer{"192.0.2.1", 4001, false};
const RtcpOrigin stranger{"192.0.2.1", 4003, false};
const std::uint8_t report[] = {0x80, 201, 0, 1, 0, 0, 0, 7};
const std::uint8_t rubbish[] = {0x80, 201, 0, 9, 0, 0, 0, 7};
const std::uint8_t pictureLoss[] = {0x81, 206, 0, 2, 0, 0, 0, 7, 0, 0, 0, 9};

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "Not so: %s\n", what);
  std::exit(1);
}

template <std::size_t size>
void hear(RtcpDesk& desk, const RtcpOrigin& from, const std::uint8_t (&words)[size]) {
  desk.hear(from, words, size);
}

class Session {
 public:
  ~Session() { g_object_unref(session_); }

  GstRTSPSession* get() const { return session_; }
  /** In milliseconds, counted from whenever. */
  gint usedAt() const { return gst_rtsp_session_next_timeout_usec(session_, since_); }

 private:
  GstRTSPSession* session_ = gst_rtsp_session_new("watched");
  const gint64 since_ = g_get_monotonic_time();
};

void keepsTheSessionOfWhoeverSpeaksAlive() {
  RtcpDesk desk(nullptr);
  const Session session;
  const auto path = std::make_shared<RtspPath>(1);
  desk.admit(viewer, path, session.get());
  const gint began = session.usedAt();
  g_usleep(aWhileUs);
  hear(desk, stranger, report);
  hear(desk, viewer, rubbish);
  expect(session.usedAt() == began, "strangers and rubbish keep no session alive");
  hear(desk, viewer, report);
  const gint spoke = session.usedAt();
  expect(spoke > began, "a report keeps the session alive");
  g_usleep(aWhileUs);
  desk.dismiss(path);
  hear(desk, viewer, report);
  expect(session.usedAt() == spoke, "whoever has gone keeps nothing alive");
}

void outlivesTheSession() {
  RtcpDesk desk(nullptr);
  const auto path = std::make_shared<RtspPath>(1);
  {
    const Session session;
    desk.admit(viewer, path, session.get());
  }
  hear(desk, viewer, report);
}

void asksForKeyframes() {
  GstElement* pictures = GST_ELEMENT(gst_object_ref_sink(gst_bin_new(nullptr)));
  RtcpDesk desk(pictures);
  const auto path = std::make_shared<RtspPath>(1);
  desk.admit(viewer, path, nullptr);
  hear(desk, stranger, pictureLoss);
  hear(desk, viewer, report);
  expect(obscura::keyframesAskedFor == 0, "nobody has asked for a keyframe");
  hear(desk, viewer, pictureLoss);
  expect(obscura::keyframesAskedFor == 1, "a viewer who asks for a keyframe gets it");
  gst_object_unref(pictures);
  hear(desk, viewer, pictureLoss);
  expect(obscura::keyframesAskedFor == 1, "where there are no pictures there is no keyframe");
}

void givesThreeAtOnceAndOneMoreEachSecond() {
  constexpr std::int64_t second = 1'000'000;
  obscura::KeyframeBudget budget;
  const auto spend = [&budget](std::int64_t at) {
    int had = 0;
    for (int wish = 0; wish < 50; wish += 1) had += budget.spend(at) ? 1 : 0;
    return had;
  };
  expect(spend(1) == 3, "three at once");
  expect(spend(second / 2) == 0, "none so soon");
  expect(spend(second + 1) == 1, "one more after a second, however often it was asked for");
  expect(spend(100 * second) == 3, "no more than three after any time");
}

/** Of a hundred at once; a machine that is very busy takes its time for that. */
template <typename Wish>
int wishAtOnce(const int& had, gint64& seconds, Wish wish) {
  const int before = had;
  const gint64 began = g_get_monotonic_time();
  for (int times = 0; times < 100; times += 1) wish();
  seconds = (g_get_monotonic_time() - began) / G_USEC_PER_SEC;
  return had - before;
}

void givesNoViewerMoreThanIsItsOwn() {
  GstElement* pictures = GST_ELEMENT(gst_object_ref_sink(gst_bin_new(nullptr)));
  RtcpDesk desk(pictures);
  const RtcpOrigin other{"192.0.2.2", 4001, false};
  const auto greedy = std::make_shared<RtspPath>(1);
  const auto modest = std::make_shared<RtspPath>(2);
  desk.admit(viewer, greedy, nullptr);
  desk.admit(other, modest, nullptr);
  const int& asked = obscura::keyframesAskedFor;
  gint64 seconds = 0;
  const int had = wishAtOnce(asked, seconds, [&desk] { hear(desk, viewer, pictureLoss); });
  expect(had >= 3 && had <= 4 + seconds, "a viewer has three keyframes at once");
  const int before = asked;
  hear(desk, other, pictureLoss);
  expect(asked == before + 1, "another viewer has the first that it asks for");
  gst_object_unref(pictures);
}

void givesNoBrowserMoreThanThat() {
  obscura::registerH264Packets();
  GstElement* packets = GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("h264packets", nullptr)));
  GstPad* before = gst_pad_new("before", GST_PAD_SRC);
  static int passedOn = 0;
  gst_pad_set_event_function(before, [](GstPad*, GstObject*, GstEvent* event) -> gboolean {
    if (gst_video_event_is_force_key_unit(event)) passedOn += 1;
    gst_event_unref(event);
    return TRUE;
  });
  GstPad* sink = gst_element_get_static_pad(packets, "sink");
  GstPad* source = gst_element_get_static_pad(packets, "src");
  gst_pad_link(before, sink);
  gst_pad_set_active(before, TRUE);
  gst_element_set_state(packets, GST_STATE_PAUSED);
  gint64 seconds = 0;
  const int had = wishAtOnce(passedOn, seconds, [source] {
    gst_pad_send_event(source, gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  });
  expect(had >= 3 && had <= 4 + seconds, "a browser has three keyframes at once");
  gst_element_set_state(packets, GST_STATE_NULL);
  gst_pad_unlink(before, sink);
  for (GstPad* pad : {before, sink, source}) gst_object_unref(pad);
  gst_object_unref(packets);
}

}  // namespace

int main(int count, char** words) {
  gst_init(&count, &words);
  keepsTheSessionOfWhoeverSpeaksAlive();
  outlivesTheSession();
  asksForKeyframes();
  givesThreeAtOnceAndOneMoreEachSecond();
  givesNoViewerMoreThanIsItsOwn();
  givesNoBrowserMoreThanThat();
  return 0;
}
