#include "rtsp_clients.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <mutex>
#include <optional>

#include "events.h"
#include "hubsrc.h"
#include "rtp_reports.h"
#include "rtsp_access.h"

namespace obscura {
namespace {

constexpr const char* factsName = "obscura-facts";

/** What is known of a connection beside what the library knows. */
struct Facts {
  std::uint64_t id;
  std::int64_t since;
  std::mutex lock;
  std::string path;
};

Facts* factsOf(GstRTSPClient* client) {
  return static_cast<Facts*>(g_object_get_data(G_OBJECT(client), factsName));
}

/** Or the first picture waits behind the answer to PLAY until the player's system says that it has got that, 40 ms. */
void sendSmallPacketsAtOnce(GstRTSPClient* client) {
  GstRTSPConnection* connection = gst_rtsp_client_get_connection(client);
  GSocket* socket = connection == nullptr ? nullptr : gst_rtsp_connection_get_write_socket(connection);
  if (socket != nullptr) g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
}

void onPlay(GstRTSPClient* client, GstRTSPContext* context, gpointer) {
  if (context->media == nullptr) return;
  if (Facts* facts = factsOf(client); facts != nullptr && context->uri != nullptr) {
    const std::lock_guard<std::mutex> hold(facts->lock);
    facts->path = context->uri->abspath;
  }
  // Viewers share what is sent: the newcomer's first picture must not wait for the next one that comes by itself.
  GstElement* element = gst_rtsp_media_get_element(context->media);
  requestKeyframes(element);
  gst_object_unref(element);
  tell(Json().set("event", "rtsp-playing").set("client", rtspClientId(client)));
}

/** Without it the library would go on sending to where a player was for a minute. */
void endSessionsOf(GstRTSPClient* client) {
  GstRTSPSessionPool* pool = gst_rtsp_client_get_session_pool(client);
  if (pool == nullptr) return;
  GList* sessions = gst_rtsp_session_pool_filter(pool, nullptr, nullptr);
  for (GList* each = sessions; each != nullptr; each = each->next) {
    auto* session = GST_RTSP_SESSION(each->data);
    GList* medias = gst_rtsp_session_filter(session, nullptr, nullptr);
    for (GList* media = medias; media != nullptr; media = media->next) {
      gst_rtsp_session_media_set_state(GST_RTSP_SESSION_MEDIA(media->data), GST_STATE_NULL);
      gst_rtsp_session_release_media(session, GST_RTSP_SESSION_MEDIA(media->data));
    }
    g_list_free_full(medias, g_object_unref);
    gst_rtsp_session_pool_remove(pool, session);
  }
  g_list_free_full(sessions, g_object_unref);
  g_object_unref(pool);
}

void onClosed(GstRTSPClient* client, gpointer) {
  endSessionsOf(client);
  tell(Json().set("event", "rtsp-closed").set("client", rtspClientId(client)));
}

/** How a client gets its packets, and what it says of them. */
struct Transport {
  std::string kind;
  std::uint64_t datagramBytes = 0;
  /** From its last receiver report, where one has come. */
  std::optional<Json> report;
};

std::uint64_t bytesSentTo(GstElement* pipeline, const gchar* host, int port) {
  std::uint64_t bytes = 0;
  GstIterator* sinks = gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), "multiudpsink");
  GValue item = G_VALUE_INIT;
  while (gst_iterator_next(sinks, &item) == GST_ITERATOR_OK) {
    GstStructure* stats = nullptr;
    g_signal_emit_by_name(g_value_get_object(&item), "get-stats", host, port, &stats);
    guint64 sent = 0;
    if (stats != nullptr && gst_structure_get_uint64(stats, "bytes-sent", &sent)) bytes += sent;
    if (stats != nullptr) gst_structure_free(stats);
    g_value_reset(&item);
  }
  g_value_unset(&item);
  gst_iterator_free(sinks);
  return bytes;
}

Transport describeTransport(GstRTSPSessionMedia* media) {
  Transport result;
  GstRTSPStreamTransport* stream = gst_rtsp_session_media_get_transport(media, 0);
  if (stream == nullptr) return result;
  const GstRTSPTransport* way = gst_rtsp_stream_transport_get_transport(stream);
  const bool isTcp = way->lower_transport == GST_RTSP_LOWER_TRANS_TCP;
  const bool isMulticast = way->lower_transport == GST_RTSP_LOWER_TRANS_UDP_MCAST;
  result.kind = isTcp ? "tcp" : isMulticast ? "multicast" : "udp";
  GstRTSPMedia* played = gst_rtsp_session_media_get_media(media);
  if (way->lower_transport == GST_RTSP_LOWER_TRANS_UDP) {
    GstElement* element = gst_rtsp_media_get_element(played);
    GstObject* pipeline = gst_object_get_parent(GST_OBJECT(element));
    if (pipeline != nullptr) {
      result.datagramBytes = bytesSentTo(GST_ELEMENT(pipeline), way->destination, way->client_port.min);
      gst_object_unref(pipeline);
    }
    gst_object_unref(element);
  }
  GstRTSPStream* sent = gst_rtsp_media_get_stream(played, 0);
  GObject* session = sent == nullptr ? nullptr : gst_rtsp_stream_get_rtpsession(sent);
  if (session != nullptr) {
    result.report = receiverReport(session, std::string(way->destination == nullptr ? "" : way->destination) + ":" +
                                            std::to_string(way->client_port.max));
    g_object_unref(session);
  }
  return result;
}

Transport transportOf(GstRTSPClient* client) {
  Transport found;
  GList* sessions = gst_rtsp_client_session_filter(client, nullptr, nullptr);
  for (GList* session = sessions; session != nullptr; session = session->next) {
    GList* medias = gst_rtsp_session_filter(GST_RTSP_SESSION(session->data), nullptr, nullptr);
    for (GList* media = medias; media != nullptr; media = media->next) {
      Transport each = describeTransport(GST_RTSP_SESSION_MEDIA(media->data));
      if (!each.kind.empty()) found = std::move(each);
    }
    g_list_free_full(medias, g_object_unref);
  }
  g_list_free_full(sessions, g_object_unref);
  return found;
}

}  // namespace

void welcomeRtspClient(GstRTSPClient* client) {
  // With a pool of its own nobody can end what another watches by naming the session.
  GstRTSPSessionPool* sessions = gst_rtsp_session_pool_new();
  gst_rtsp_client_set_session_pool(client, sessions);
  g_object_unref(sessions);
  sendSmallPacketsAtOnce(client);
  static std::atomic<std::uint64_t> latest{0};
  auto* facts = new Facts{++latest, g_get_real_time() / 1000, {}, ""};
  g_object_set_data_full(G_OBJECT(client), factsName, facts, [](gpointer data) { delete static_cast<Facts*>(data); });
  g_signal_connect(client, "play-request", G_CALLBACK(onPlay), nullptr);
  g_signal_connect(client, "closed", G_CALLBACK(onClosed), nullptr);
}

unsigned rtspClientSessions(GstRTSPClient* client) {
  GstRTSPSessionPool* pool = gst_rtsp_client_get_session_pool(client);
  if (pool == nullptr) return 0;
  const unsigned count = gst_rtsp_session_pool_get_n_sessions(pool);
  g_object_unref(pool);
  return count;
}

void tidyRtspClient(GstRTSPClient* client) {
  GstRTSPSessionPool* pool = gst_rtsp_client_get_session_pool(client);
  if (pool == nullptr) return;
  gst_rtsp_session_pool_cleanup(pool);
  g_object_unref(pool);
}

std::uint64_t rtspClientId(GstRTSPClient* client) {
  const Facts* facts = factsOf(client);
  return facts == nullptr ? 0 : facts->id;
}

std::string rtspClientPath(GstRTSPClient* client) {
  Facts* facts = factsOf(client);
  if (facts == nullptr) return "";
  const std::lock_guard<std::mutex> hold(facts->lock);
  return facts->path;
}

std::string rtspClientTransport(GstRTSPClient* client) { return transportOf(client).kind; }

std::string describeRtspClient(GstRTSPClient* client, bool isSecure) {
  const Facts* facts = factsOf(client);
  Json json;
  json.set("id", rtspClientId(client))
      .set("since", facts == nullptr ? std::int64_t{0} : facts->since)
      .set("user", userOf(client))
      .set("path", rtspClientPath(client))
      .set("secure", isSecure);
  const Transport transport = transportOf(client);
  json.set("transport", transport.kind);
  GstRTSPConnection* connection = gst_rtsp_client_get_connection(client);
  if (connection != nullptr) {
    json.set("address", gst_rtsp_connection_get_ip(connection));
    GSocket* socket = gst_rtsp_connection_get_write_socket(connection);
    tcp_info info{};
    socklen_t size = sizeof(info);
    if (socket != nullptr && getsockopt(g_socket_get_fd(socket), IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
      json.set("bytes", static_cast<std::uint64_t>(info.tcpi_bytes_acked) + transport.datagramBytes);
  }
  if (transport.report.has_value()) json.setRaw("report", transport.report->text());
  return json.text();
}

/** The library lets go of an encrypted connection without closing it. */
void hangUpRtspClient(GstRTSPClient* client) {
  GstRTSPConnection* connection = gst_rtsp_client_get_connection(client);
  GSocket* socket = connection == nullptr ? nullptr : gst_rtsp_connection_get_write_socket(connection);
  if (socket != nullptr) g_object_ref(socket);
  gst_rtsp_client_close(client);
  if (socket == nullptr) return;
  g_socket_shutdown(socket, TRUE, TRUE, nullptr);
  g_object_unref(socket);
}

}  // namespace obscura
