// What comes of the RTCP of viewers, where no network is and no time passes. Built with the sanitizers by
// rtcpDesk.test.ts.
#include <gst/gst.h>

#include <cstdio>
#include <cstdlib>

#include "../../native/media/hubsrc.h"
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

}  // namespace

int main(int count, char** words) {
  gst_init(&count, &words);
  keepsTheSessionOfWhoeverSpeaksAlive();
  outlivesTheSession();
  asksForKeyframes();
  return 0;
}
