{
  "variables": {
    "gstreamer": "gstreamer-1.0 gstreamer-base-1.0 gstreamer-video-1.0 gstreamer-net-1.0 gstreamer-rtp-1.0 gstreamer-sdp-1.0 gstreamer-rtsp-server-1.0",
    # Without GStreamer the rest of the server is built all the same.
    "with_media": "<!(pkg-config --exists gstreamer-1.0 gstreamer-rtsp-server-1.0 && echo 1 || echo 0)"
  },
  "target_defaults": {
    "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
    "defines": ["NAPI_VERSION=9", "NAPI_CPP_EXCEPTIONS"],
    "cflags!": ["-fno-exceptions"],
    "cflags_cc!": ["-fno-exceptions"],
    "cflags_cc": ["-std=c++17", "-Wall", "-Wextra"]
  },
  "targets": [
    {
      "target_name": "obscura_system",
      "sources": ["system.cc", "media/tcp_socket.cc"]
    }
  ],
  "conditions": [
    [
      "with_media==1",
      {
        "targets": [
          {
            "target_name": "obscura_media",
            "sources": [
              "media/addon.cc",
              "media/alignment.cc",
              "media/channel.cc",
              "media/events.cc",
              "media/graph.cc",
              "media/gst_log.cc",
              "media/h264packets.cc",
              "media/hubsink.cc",
              "media/hubsrc.cc",
              "media/loop_ping.cc",
              "media/packet_trains.cc",
              "media/pipelines.cc",
              "media/receiver_words.cc",
              "media/retransmissions.cc",
              "media/rtcp.cc",
              "media/rtcp_desk.cc",
              "media/rtsp_access.cc",
              "media/rtp_reports.cc",
              "media/rtp_pictures.cc",
              "media/rtpreceiver.cc",
              "media/rtptimes.cc",
              "media/rtsp_clients.cc",
              "media/rtsp_gate.cc",
              "media/rtsp_mounts.cc",
              "media/rtsp_path.cc",
              "media/rtsp_renditions.cc",
              "media/rtsp_server.cc",
              "media/rtsp_threads.cc",
              "media/tap.cc",
              "media/tcp_socket.cc",
              "media/thin_stream.cc",
              "media/timestamp.cc",
              "media/turn.cc",
              "media/udp_shedder.cc",
              "media/v4l2.cc",
              "media/webrtc.cc",
              "media/zoom.cc"
            ],
            # Macros of GObject cast functions and leave members of structs to zero.
            "cflags_cc": [
              "<!@(pkg-config --cflags <(gstreamer))",
              "-Wno-missing-field-initializers",
              "-Wno-cast-function-type"
            ],
            "libraries": ["<!@(pkg-config --libs <(gstreamer))", "-ldl"]
          }
        ]
      }
    ]
  ]
}
