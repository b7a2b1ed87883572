// Answers an offer of a WebRTC server, which it reads from its input, and says what comes: the answer, closed by a line
// with a dot, then `picture <rtp time>` for each and `report <NTP seconds> <fraction> <rtp time>` for each report of the
// sender. Of libgstwebrtc, whose headers may not be installed, it needs two functions.
#include <dlfcn.h>
#include <gst/gst.h>
#include <gst/rtp/rtp.h>
#include <gst/sdp/sdp.h>
#include <stdio.h>

struct description {
  int type;
  GstSDPMessage* sdp;
};
static const int offer = 1, gathered = 2;
static const guint8 senderReport = 200;
static struct description* (*newDescription)(int type, GstSDPMessage* sdp);
static GstElement *pipeline, *rtc;

static guint32 wordAt(const guint8* bytes) { return GST_READ_UINT32_BE(bytes); }

static void onReport(GObject* session, GstBuffer* buffer, gpointer data) {
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return;
  if (map.size >= 20 && map.data[1] == senderReport)
    printf("report %u %u %u\n", wordAt(map.data + 8), wordAt(map.data + 12), wordAt(map.data + 16));
  gst_buffer_unmap(buffer, &map);
}

static GstPadProbeReturn onPacket(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  GstRTPBuffer packet = GST_RTP_BUFFER_INIT;
  if (gst_rtp_buffer_map(GST_PAD_PROBE_INFO_BUFFER(info), GST_MAP_READ, &packet)) {
    if (gst_rtp_buffer_get_marker(&packet)) printf("picture %u\n", gst_rtp_buffer_get_timestamp(&packet));
    gst_rtp_buffer_unmap(&packet);
  }
  return GST_PAD_PROBE_OK;
}

static void onStream(GstElement* element, GstPad* pad, gpointer data) {
  if (gst_pad_get_direction(pad) != GST_PAD_SRC) return;
  GstElement* sink = gst_element_factory_make("fakesink", NULL);
  g_object_set(sink, "sync", FALSE, "async", FALSE, NULL);
  gst_bin_add(GST_BIN(pipeline), sink);
  gst_element_sync_state_with_parent(sink);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, onPacket, NULL, NULL);
  GstPad* end = gst_element_get_static_pad(sink, "sink");
  gst_pad_link(pad, end);
  gst_object_unref(end);
}

static void onGathering(GObject* element, GParamSpec* property, gpointer data) {
  int state = 0;
  g_object_get(element, "ice-gathering-state", &state, NULL);
  if (state != gathered) return;
  struct description* own = NULL;
  g_object_get(element, "local-description", &own, NULL);
  gchar* text = gst_sdp_message_as_text(own->sdp);
  printf("%s.\n", text);
  g_free(text);
}

static void onAnswer(GstPromise* promise, gpointer data) {
  struct description* own = NULL;
  gst_structure_get(gst_promise_get_reply(promise), "answer", g_type_from_name("GstWebRTCSessionDescription"), &own, NULL);
  g_signal_emit_by_name(rtc, "set-local-description", own, NULL);
  GstElement* rtpbin = gst_bin_get_by_name(GST_BIN(rtc), "rtpbin");
  GObject* session = NULL;
  g_signal_emit_by_name(rtpbin, "get-internal-session", 0, &session);
  g_signal_connect(session, "on-receiving-rtcp", G_CALLBACK(onReport), NULL);
}

static void onOffer(GstPromise* promise, gpointer data) {
  g_signal_emit_by_name(rtc, "create-answer", NULL, gst_promise_new_with_change_func(onAnswer, NULL, NULL));
}

int main(void) {
  gst_init(NULL, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  pipeline = gst_pipeline_new(NULL);
  rtc = gst_element_factory_make("webrtcbin", NULL);
  void* library = dlopen("libgstwebrtc-1.0.so.0", RTLD_NOW | RTLD_GLOBAL);
  if (rtc == NULL || library == NULL) return 1;
  *(void**)&newDescription = dlsym(library, "gst_webrtc_session_description_new");
  g_object_set(rtc, "bundle-policy", 3, "latency", 0, NULL);
  gst_bin_add(GST_BIN(pipeline), rtc);
  g_signal_connect(rtc, "pad-added", G_CALLBACK(onStream), NULL);
  g_signal_connect(rtc, "notify::ice-gathering-state", G_CALLBACK(onGathering), NULL);

  static char text[65536];
  text[fread(text, 1, sizeof(text) - 1, stdin)] = '\0';
  GstSDPMessage* message = NULL;
  if (gst_sdp_message_new_from_text(text, &message) != GST_SDP_OK) return 1;
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  g_signal_emit_by_name(rtc, "set-remote-description", newDescription(offer, message),
                        gst_promise_new_with_change_func(onOffer, NULL, NULL));
  g_main_loop_run(g_main_loop_new(NULL, FALSE));
}
