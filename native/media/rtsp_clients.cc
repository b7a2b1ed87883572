#include "rtsp_clients.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "events.h"
#include "hubsrc.h"
#include "rtcp_desk.h"
#include "rtsp_access.h"
#include "rtsp_gate.h"
#include "rtsp_path.h"
#include "rtsp_threads.h"
#include "tcp_socket.h"
#include "udp_shedder.h"
#include "weak_object.h"

namespace obscura {
namespace {

constexpr const char* factsName = "obscura-facts";

/** How a client gets its packets. */
struct Way {
  /** As it is told; empty where there is none. */
  std::string kind;
  /** Only over UDP, and alone. */
  std::optional<UdpShedder::Destination> to;
};

/**
 * What is known of a connection beside what the library knows, and what of that others than the thread of the connection
 * ask for: to them the library's own is not safe.
 */
struct Facts {
  Facts(std::uint64_t given, std::string from, GSocket* through)
      : id(given),
        since(g_get_real_time() / 1000),
        address(std::move(from)),
        socket(through),
        way(std::make_shared<RtspPath>(given)) {}

  const std::uint64_t id;
  const std::int64_t since;
  const std::string address;
  WeakObject<GSocket> socket;
  const std::shared_ptr<RtspPath> way;
  std::mutex lock;
  std::string path;
  Way transport;
  /** Of what it has set up. */
  std::shared_ptr<RtcpDesk> desk;
  /** Only where it gets its packets over this connection. */
  std::shared_ptr<RtspGate> gate;
  /** What it may get of the stream over UDP, in bit/s. */
  std::optional<std::uint64_t> limit;
};

Facts* factsOf(GstRTSPClient* client) {
  return static_cast<Facts*>(g_object_get_data(G_OBJECT(client), factsName));
}

void prepareSocket(GSocket* socket) {
  if (socket == nullptr) return;
  // Or the first picture waits behind the answer to PLAY until the player's system says that it has got that, 40 ms.
  g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
  keepTcpQueueShort(g_socket_get_fd(socket));
}

Way wayOf(const GstRTSPTransport* given) {
  switch (given->lower_transport) {
    case GST_RTSP_LOWER_TRANS_TCP:
      return {"tcp", std::nullopt};
    case GST_RTSP_LOWER_TRANS_UDP_MCAST:
      return {"multicast", std::nullopt};
    default:
      break;
  }
  if (given->destination == nullptr) return {"udp", std::nullopt};
  return {"udp", UdpShedder::Destination{given->destination, given->client_port.min}};
}

/** The player's reports come from the port after that of its packets, and of some from that of its packets. */
void admitReports(const Facts& facts, RtcpDesk& desk, const GstRTSPTransport* way, const GstRTSPContext* context) {
  if (way->lower_transport == GST_RTSP_LOWER_TRANS_UDP_MCAST) {
    // Many players share the address, and their own ports were never told.
    desk.admit({gst_rtsp_connection_get_ip(context->conn), 0, false}, facts.way, context->session);
    return;
  }
  const bool isInterleaved = way->lower_transport == GST_RTSP_LOWER_TRANS_TCP;
  for (const int port : {way->client_port.min, way->client_port.max})
    if (port > 0) desk.admit({way->destination, port, isInterleaved}, facts.way, context->session);
}

void onSetup(GstRTSPClient* client, GstRTSPContext* context, gpointer) {
  Facts* facts = factsOf(client);
  if (facts == nullptr || context->trans == nullptr || context->media == nullptr) return;
  const GstRTSPTransport* way = gst_rtsp_stream_transport_get_transport(context->trans);
  const bool isInterleaved = way->lower_transport == GST_RTSP_LOWER_TRANS_TCP;
  const std::lock_guard<std::mutex> hold(facts->lock);
  facts->transport = wayOf(way);
  facts->desk = RtcpDesk::of(context->media);
  if (facts->desk != nullptr) admitReports(*facts, *facts->desk, way, context);
  facts->gate = isInterleaved ? RtspGate::putBefore(context->sessmedia, context->stream) : nullptr;
}

/** Nobody speaks for this viewer any more. */
void dismissReports(GstRTSPClient* client) {
  Facts* facts = factsOf(client);
  if (facts == nullptr) return;
  const std::lock_guard<std::mutex> hold(facts->lock);
  if (facts->desk != nullptr) facts->desk->dismiss(facts->way);
  facts->desk.reset();
  facts->gate.reset();
  facts->transport = Way();
}

void onTeardown(GstRTSPClient* client, GstRTSPContext*, gpointer) { dismissReports(client); }

Way wayOf(Facts* facts) {
  if (facts == nullptr) return Way();
  const std::lock_guard<std::mutex> hold(facts->lock);
  return facts->transport;
}

template <typename Act>
void eachDatagramSink(GstRTSPSessionMedia* media, Act act) {
  GstElement* element = gst_rtsp_media_get_element(gst_rtsp_session_media_get_media(media));
  GstObject* pipeline = gst_object_get_parent(GST_OBJECT(element));
  gst_object_unref(element);
  if (pipeline == nullptr) return;
  GstIterator* sinks = gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), "multiudpsink");
  GValue item = G_VALUE_INIT;
  while (gst_iterator_next(sinks, &item) == GST_ITERATOR_OK) {
    act(GST_ELEMENT(g_value_get_object(&item)));
    g_value_reset(&item);
  }
  g_value_unset(&item);
  gst_iterator_free(sinks);
  gst_object_unref(pipeline);
}

template <typename Act>
void eachMediaOf(GstRTSPClient* client, Act act) {
  GList* sessions = gst_rtsp_client_session_filter(client, nullptr, nullptr);
  for (GList* session = sessions; session != nullptr; session = session->next) {
    GList* medias = gst_rtsp_session_filter(GST_RTSP_SESSION(session->data), nullptr, nullptr);
    for (GList* media = medias; media != nullptr; media = media->next) act(GST_RTSP_SESSION_MEDIA(media->data));
    g_list_free_full(medias, g_object_unref);
  }
  g_list_free_full(sessions, g_object_unref);
}

void limitDatagrams(GstRTSPClient* client, std::optional<std::uint64_t> bps) {
  const auto to = wayOf(factsOf(client)).to;
  if (!to.has_value()) return;
  eachMediaOf(client, [&to, bps](GstRTSPSessionMedia* media) {
    eachDatagramSink(media, [&to, bps](GstElement* sink) {
      const auto shedder = UdpShedder::of(sink);
      if (shedder != nullptr && shedder->stateOf(*to).has_value())
        shedder->limit(*to, bps);
      else if (bps.has_value() && bytesSentBy(sink, to->first, to->second).has_value())
        UdpShedder::before(sink)->limit(*to, bps);
      else if (shedder != nullptr)
        shedder->limit(*to, std::nullopt);
    });
  });
}

void onPlay(GstRTSPClient* client, GstRTSPContext* context, gpointer) {
  if (context->media == nullptr) return;
  std::optional<std::uint64_t> limit;
  if (Facts* facts = factsOf(client); facts != nullptr && context->uri != nullptr) {
    const std::lock_guard<std::mutex> hold(facts->lock);
    facts->path = context->uri->abspath;
    limit = facts->limit;
  }
  // Whoever had paused is sent to anew.
  if (limit.has_value()) limitDatagrams(client, limit);
  // Viewers share what is sent: the newcomer's first picture must not wait for the next one that comes by itself.
  GstElement* element = gst_rtsp_media_get_element(context->media);
  setWatched(element, true);
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
  dismissReports(client);
  endSessionsOf(client);
  tell(Json().set("event", "rtsp-closed").set("client", rtspClientId(client)));
}

/** What is sent on that way. */
struct Transport {
  std::string kind;
  std::uint64_t datagramBytes = 0;
  /** Only where its stream was ever thinned. */
  std::optional<std::uint64_t> framesDropped;
};

void countDatagrams(Transport& result, GstElement* sink, const UdpShedder::Destination& to) {
  const auto shedder = UdpShedder::of(sink);
  const auto thinned = shedder == nullptr ? std::nullopt : shedder->stateOf(to);
  if (thinned.has_value()) result.framesDropped = thinned->framesDropped;
  result.datagramBytes +=
      thinned.has_value() ? thinned->sentBytes : bytesSentBy(sink, to.first, to.second).value_or(0);
}

Transport transportOf(GstRTSPClient* client) {
  Transport found;
  const auto [kind, to] = wayOf(factsOf(client));
  found.kind = kind;
  if (to.has_value())
    eachMediaOf(client, [&found, &to = to](GstRTSPSessionMedia* media) {
      eachDatagramSink(media, [&found, &to](GstElement* sink) { countDatagrams(found, sink, *to); });
    });
  return found;
}

std::optional<TcpState> tcpOf(Facts& facts) {
  GSocket* socket = facts.socket.get();
  if (socket == nullptr) return std::nullopt;
  const std::optional<TcpState> state = stateOfTcp(g_socket_get_fd(socket));
  g_object_unref(socket);
  return state;
}

std::shared_ptr<RtspGate> gateOf(Facts& facts) {
  const std::lock_guard<std::mutex> hold(facts.lock);
  return facts.gate;
}

/** What has not reached the player, and how late that makes what is sent now. */
void describeBacklog(Json& client, const GateState& gate, const TcpState& tcp, std::uint64_t bitrate) {
  const double inSystemMs = bitrate == 0 ? 0 : static_cast<double>(tcp.queuedBytes) * 8000 / static_cast<double>(bitrate);
  client.set("backlogBytes", gate.heldBytes + tcp.queuedBytes)
      .set("delayMs", gate.heldMs + inSystemMs)
      .set("framesDropped", gate.framesDropped);
}

}  // namespace

void welcomeRtspClient(GstRTSPClient* client) {
  // With a pool of its own nobody can end what another watches by naming the session.
  GstRTSPSessionPool* sessions = gst_rtsp_session_pool_new();
  gst_rtsp_client_set_session_pool(client, sessions);
  g_object_unref(sessions);
  GstRTSPConnection* connection = gst_rtsp_client_get_connection(client);
  GSocket* socket = gst_rtsp_connection_get_write_socket(connection);
  prepareSocket(socket);
  static std::atomic<std::uint64_t> latest{0};
  const gchar* address = gst_rtsp_connection_get_ip(connection);
  auto* facts = new Facts(++latest, address == nullptr ? "" : address, socket);
  g_object_set_data_full(G_OBJECT(client), factsName, facts, [](gpointer data) { delete static_cast<Facts*>(data); });
  g_signal_connect(client, "setup-request", G_CALLBACK(onSetup), nullptr);
  g_signal_connect(client, "play-request", G_CALLBACK(onPlay), nullptr);
  g_signal_connect(client, "teardown-request", G_CALLBACK(onTeardown), nullptr);
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

std::string rtspClientTransport(GstRTSPClient* client) { return wayOf(factsOf(client)).kind; }

void takeRtspSamples(GstRTSPClient* client, std::vector<std::string>& samples) {
  Facts* facts = factsOf(client);
  if (facts == nullptr) return;
  const std::shared_ptr<RtspGate> gate = gateOf(*facts);
  PathState state;
  if (gate != nullptr) {
    const GateState held = gate->state();
    state.sentBytes = held.sentBytes;
    state.heldBytes = held.heldBytes;
    if (held.sentBytes > 0) state.tcp = tcpOf(*facts);
  } else if (facts->way->hasReports()) {
    state.sentBytes = transportOf(client).datagramBytes;
  }
  facts->way->takeSamples(state, samples);
}

std::string describeRtspClient(GstRTSPClient* client, bool isSecure) {
  Facts* facts = factsOf(client);
  Json json;
  json.set("id", rtspClientId(client))
      .set("since", facts == nullptr ? std::int64_t{0} : facts->since)
      .set("user", userOf(client))
      .set("path", rtspClientPath(client))
      .set("secure", isSecure);
  const Transport transport = transportOf(client);
  json.set("transport", transport.kind);
  if (facts != nullptr) json.set("address", facts->address);
  const std::optional<TcpState> tcp = facts == nullptr ? std::nullopt : tcpOf(*facts);
  const std::uint64_t bytes =
      transport.datagramBytes + (tcp.has_value() ? static_cast<std::uint64_t>(tcp->ackedBytes) : 0);
  json.set("bytes", bytes);
  if (facts == nullptr) return json.text();
  const std::uint64_t bitrate = facts->way->rate(bytes);
  json.set("bitrate", bitrate);
  facts->way->describe(json);
  if (const std::shared_ptr<RtspGate> gate = gateOf(*facts); gate != nullptr && tcp.has_value())
    describeBacklog(json, gate->state(), *tcp, bitrate);
  else if (transport.framesDropped.has_value())
    json.set("framesDropped", *transport.framesDropped);
  return json.text();
}

void limitRtspClient(GstRTSPClient* client, std::optional<std::uint64_t> bps) {
  Facts* facts = factsOf(client);
  if (facts == nullptr) return;
  {
    const std::lock_guard<std::mutex> hold(facts->lock);
    facts->limit = bps;
  }
  limitDatagrams(client, bps);
}

void hangUpRtspClient(GstRTSPClient* client) {
  onThreadOf(client, [](GstRTSPClient* mine) {
    Facts* facts = factsOf(mine);
    GSocket* socket = facts == nullptr ? nullptr : facts->socket.get();
    gst_rtsp_client_close(mine);
    if (socket == nullptr) return;
    // The library lets go of an encrypted connection without closing it.
    g_socket_shutdown(socket, TRUE, TRUE, nullptr);
    g_object_unref(socket);
  });
}

}  // namespace obscura
