#include "rtsp_server.h"

#include <gst/base/gstbasesink.h>
#include <gst/rtsp-server/rtsp-server.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>

#include "events.h"
#include "hubsrc.h"
#include "rtsp_access.h"
#include "rtsp_renditions.h"

namespace obscura {
namespace {

/** Of the address for many, in pairs: one for each stream under each of its names. */
constexpr int multicastPorts = 16;
constexpr std::size_t mostRenditions = 4;
/** Until then one that nobody plays may still be on its way to somebody. */
constexpr std::int64_t renditionSettlesUs = 5 * G_USEC_PER_SEC;
constexpr guint tidyEverySeconds = 1;
constexpr const char* factsName = "obscura-facts";
constexpr const char* lastMediaName = "obscura-media";
constexpr std::int64_t longestFarewellUs = 2 * G_USEC_PER_SEC;

/** What is known of a connection beside what the library knows. */
struct Facts {
  std::uint64_t id;
  std::int64_t since;
  std::mutex lock;
  std::string path;
  std::set<std::string> sessions;
};

Facts* factsOf(GstRTSPClient* client) {
  return static_cast<Facts*>(g_object_get_data(G_OBJECT(client), factsName));
}

std::string pathOf(GstRTSPClient* client) {
  Facts* facts = factsOf(client);
  if (facts == nullptr) return "";
  const std::lock_guard<std::mutex> hold(facts->lock);
  return facts->path;
}

/**
 * Time is kept by the sources; sinks that leave themselves time for their work would only add that to the delay. The
 * library switches the waiting itself on again with each PLAY.
 */
void sendWithoutWaiting(GstRTSPMedia* media) {
  GstElement* element = gst_rtsp_media_get_element(media);
  GstObject* pipeline = gst_object_get_parent(GST_OBJECT(element));
  gst_object_unref(element);
  if (pipeline == nullptr) return;
  g_signal_connect(pipeline, "deep-element-added", G_CALLBACK(+[](GstBin*, GstBin*, GstElement* added, gpointer) {
                     if (GST_IS_BASE_SINK(added))
                       gst_base_sink_set_processing_deadline(GST_BASE_SINK(added), 0);
                   }),
                   nullptr);
  gst_object_unref(pipeline);
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
  tell(Json().set("event", "rtsp-playing").set("client", factsOf(client) == nullptr ? 0 : factsOf(client)->id));
}

void onSetup(GstRTSPClient* client, GstRTSPContext* context, gpointer) {
  Facts* facts = factsOf(client);
  if (facts == nullptr || context->session == nullptr) return;
  const std::lock_guard<std::mutex> hold(facts->lock);
  facts->sessions.insert(gst_rtsp_session_get_sessionid(context->session));
}

/** Without it the library would go on sending to where a player was, and keep its place, for a minute. */
void endSessionsOf(GstRTSPClient* client) {
  Facts* facts = factsOf(client);
  GstRTSPSessionPool* pool = gst_rtsp_client_get_session_pool(client);
  if (facts == nullptr || pool == nullptr) return;
  for (const auto& id : facts->sessions) {
    GstRTSPSession* session = gst_rtsp_session_pool_find(pool, id.c_str());
    if (session == nullptr) continue;
    GList* medias = gst_rtsp_session_filter(session, nullptr, nullptr);
    for (GList* media = medias; media != nullptr; media = media->next) {
      gst_rtsp_session_media_set_state(GST_RTSP_SESSION_MEDIA(media->data), GST_STATE_NULL);
      gst_rtsp_session_release_media(session, GST_RTSP_SESSION_MEDIA(media->data));
    }
    g_list_free_full(medias, g_object_unref);
    gst_rtsp_session_pool_remove(pool, session);
    g_object_unref(session);
  }
  g_object_unref(pool);
}

void onClosed(GstRTSPClient* client, gpointer) {
  endSessionsOf(client);
  tell(Json().set("event", "rtsp-closed").set("client", factsOf(client) == nullptr ? 0 : factsOf(client)->id));
}

/** The pipeline that a factory gave last, without keeping it. */
struct LastMedia {
  LastMedia() { g_weak_ref_init(&media, nullptr); }
  ~LastMedia() { g_weak_ref_clear(&media); }
  GWeakRef media;
};

LastMedia* lastMediaOf(GstRTSPMediaFactory* factory) {
  return static_cast<LastMedia*>(g_object_get_data(G_OBJECT(factory), lastMediaName));
}

/** Whoever comes while the last viewer leaves would meet a pipeline that is being taken down, and be sent away. */
void awaitFarewell(GstRTSPMediaFactory* factory) {
  const std::int64_t until = g_get_monotonic_time() + longestFarewellUs;
  while (g_get_monotonic_time() < until) {
    auto* media = static_cast<GstRTSPMedia*>(g_weak_ref_get(&lastMediaOf(factory)->media));
    if (media == nullptr) break;
    const GstRTSPMediaStatus status = gst_rtsp_media_get_status(media);
    // One that has been taken down is of no use, and on its way out of the factory's hands.
    const bool isLeaving =
        status == GST_RTSP_MEDIA_STATUS_UNPREPARING || status == GST_RTSP_MEDIA_STATUS_UNPREPARED;
    g_object_unref(media);
    if (!isLeaving) break;
    g_usleep(1000);
  }
}

GstRTSPStatusCode beforeDescribe(GstRTSPClient* client, GstRTSPContext* context, gpointer);

/** Or the first picture waits behind the answer to PLAY until the player's system says that it has got that, 40 ms. */
void sendSmallPacketsAtOnce(GstRTSPClient* client) {
  GstRTSPConnection* connection = gst_rtsp_client_get_connection(client);
  GSocket* socket = connection == nullptr ? nullptr : gst_rtsp_connection_get_write_socket(connection);
  if (socket != nullptr) g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
}

void onConnected(GstRTSPServer*, GstRTSPClient* client, gpointer) {
  sendSmallPacketsAtOnce(client);
  static std::atomic<std::uint64_t> latest{0};
  auto* facts = new Facts{++latest, g_get_real_time() / 1000, {}, "", {}};
  g_object_set_data_full(G_OBJECT(client), factsName, facts, [](gpointer data) { delete static_cast<Facts*>(data); });
  g_signal_connect(client, "pre-describe-request", G_CALLBACK(beforeDescribe), nullptr);
  g_signal_connect(client, "setup-request", G_CALLBACK(onSetup), nullptr);
  g_signal_connect(client, "play-request", G_CALLBACK(onPlay), nullptr);
  g_signal_connect(client, "closed", G_CALLBACK(onClosed), nullptr);
}

void onMedia(GstRTSPMediaFactory* factory, GstRTSPMedia* media, gpointer) {
  g_weak_ref_set(&lastMediaOf(factory)->media, media);
  sendWithoutWaiting(media);
}

/** The library lets go of an encrypted connection without closing it. */
void hangUp(GstRTSPClient* client) {
  GstRTSPConnection* connection = gst_rtsp_client_get_connection(client);
  GSocket* socket = connection == nullptr ? nullptr : gst_rtsp_connection_get_write_socket(connection);
  if (socket != nullptr) g_object_ref(socket);
  gst_rtsp_client_close(client);
  if (socket == nullptr) return;
  g_socket_shutdown(socket, TRUE, TRUE, nullptr);
  g_object_unref(socket);
}

/** A GstRTSPServer that can change its port without letting go of anybody. */
class Listener {
 public:
  Listener(GMainContext* context, GstRTSPMountPoints* mounts, GstRTSPSessionPool* sessions,
           GstRTSPThreadPool* threads)
      : context_(context), server_(gst_rtsp_server_new()), authority_(newRtspAuthority()) {
    gst_rtsp_server_set_mount_points(server_, mounts);
    gst_rtsp_server_set_session_pool(server_, sessions);
    gst_rtsp_server_set_thread_pool(server_, threads);
    gst_rtsp_server_set_auth(server_, authority_);
    g_signal_connect(server_, "client-connected", G_CALLBACK(onConnected), nullptr);
  }

  GstRTSPServer* server() const { return server_; }
  GstRTSPAuth* authority() const { return authority_; }

  void listen(const std::string& address, int port) {
    if (port == 0) {
      stop();
      return;
    }
    if (source_ != nullptr && port == port_ && address == address_) return;
    gst_rtsp_server_set_address(server_, address.c_str());
    gst_rtsp_server_set_service(server_, std::to_string(port).c_str());
    GError* error = nullptr;
    // The new one first: where it cannot be had, the old one stays.
    GSource* next = gst_rtsp_server_create_source(server_, nullptr, &error);
    if (next == nullptr) {
      const std::string reason = error == nullptr ? "the port cannot be used" : error->message;
      g_clear_error(&error);
      gst_rtsp_server_set_address(server_, address_.c_str());
      gst_rtsp_server_set_service(server_, std::to_string(port_).c_str());
      throw std::runtime_error(reason);
    }
    g_source_set_callback(next, reinterpret_cast<GSourceFunc>(gst_rtsp_server_io_func), g_object_ref(server_),
                          g_object_unref);
    g_source_attach(next, context_);
    letGoOfSource();
    source_ = next;
    address_ = address;
    port_ = port;
  }

  void stop() {
    letGoOfSource();
    port_ = 0;
    closeWhere([](GstRTSPClient*) { return true; });
  }

  template <typename Predicate>
  int closeWhere(Predicate mustGo) {
    int closed = 0;
    GList* all = gst_rtsp_server_client_filter(server_, nullptr, nullptr);
    for (GList* each = all; each != nullptr; each = each->next) {
      auto* client = GST_RTSP_CLIENT(each->data);
      if (!mustGo(client)) continue;
      hangUp(client);
      closed += 1;
    }
    g_list_free_full(all, g_object_unref);
    return closed;
  }

 private:
  void letGoOfSource() {
    if (source_ == nullptr) return;
    g_source_destroy(source_);
    g_source_unref(source_);
    source_ = nullptr;
  }

  GMainContext* context_;
  GstRTSPServer* server_;
  GstRTSPAuth* authority_;
  GSource* source_ = nullptr;
  std::string address_ = "127.0.0.1";
  int port_ = 0;
};

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

/** What the receiver that reports from this address has said last. */
std::optional<Json> reportFrom(GObject* session, const std::string& from) {
  GstStructure* stats = nullptr;
  g_object_get(session, "stats", &stats, nullptr);
  if (stats == nullptr) return std::nullopt;
  std::optional<Json> report;
  const GValue* sources = gst_structure_get_value(stats, "source-stats");
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  auto* list = sources == nullptr ? nullptr : static_cast<GValueArray*>(g_value_get_boxed(sources));
  for (guint index = 0; list != nullptr && index < list->n_values; index += 1) {
    const auto* source = static_cast<const GstStructure*>(g_value_get_boxed(g_value_array_get_nth(list, index)));
    G_GNUC_END_IGNORE_DEPRECATIONS
    const gchar* address = gst_structure_get_string(source, "rtcp-from");
    gboolean has = FALSE;
    gst_structure_get_boolean(source, "have-rb", &has);
    if (!has || address == nullptr || from != address) continue;
    guint fraction = 0;
    gint lost = 0;
    guint jitter = 0;
    guint roundTrip = 0;
    gst_structure_get_uint(source, "rb-fractionlost", &fraction);
    gst_structure_get_int(source, "rb-packetslost", &lost);
    gst_structure_get_uint(source, "rb-jitter", &jitter);
    gst_structure_get_uint(source, "rb-round-trip", &roundTrip);
    report = Json()
                 .set("lossPercent", fraction / 2.56)
                 .set("lost", static_cast<std::int64_t>(std::max(lost, 0)))
                 .set("jitterMs", jitter / 90.0)
                 .set("rttMs", roundTrip / 65.536);
  }
  gst_structure_free(stats);
  return report;
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
    result.report = reportFrom(session, std::string(way->destination == nullptr ? "" : way->destination) + ":" +
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

class Server {
 public:
  static Server& instance() {
    static auto* server = new Server();
    return *server;
  }

  void listen(const std::string& address, int port) { plain_.listen(address, port); }

  void listenSecurely(const std::string& address, int port, const std::string& certificate, const std::string& key) {
    if (port == 0) {
      secure_.stop();
      return;
    }
    GError* error = nullptr;
    GTlsCertificate* pair =
        g_tls_certificate_new_from_pem((certificate + "\n" + key).c_str(), -1, &error);
    if (pair == nullptr) {
      const std::string reason = error == nullptr ? "the certificate cannot be used" : error->message;
      g_clear_error(&error);
      throw std::runtime_error(reason);
    }
    gst_rtsp_auth_set_tls_certificate(secure_.authority(), pair);
    g_object_unref(pair);
    secure_.listen(address, port);
  }

  /** The stream as it was asked for, or why it cannot be had. */
  GstRTSPStatusCode prepareToDescribe(GstRTSPClient* client, const GstRTSPUrl* url) {
    const auto wish = readRendition(url->query);
    if (!wish.has_value()) return GST_RTSP_STS_BAD_REQUEST;
    const std::string path = url->abspath;
    if (!wish->suffix.empty() && !addRendition(path, wish->suffix)) return GST_RTSP_STS_NOT_ENOUGH_BANDWIDTH;
    rememberRendition(client, path, wish->suffix);
    GstRTSPMediaFactory* factory = factoryAt(path + wish->suffix);
    if (factory == nullptr) return GST_RTSP_STS_OK;
    awaitFarewell(factory);
    g_object_unref(factory);
    return GST_RTSP_STS_OK;
  }

  void setMounts(const std::vector<RtspMount>& wanted) {
    const std::vector<std::string> gone = exchangeMounts(wanted);
    if (gone.empty()) return;
    closeWhere([&gone](GstRTSPClient* client) {
      const std::string path = pathOf(client);
      for (const auto& each : gone)
        if (path == each || path.rfind(each + "/", 0) == 0) return true;
      return false;
    });
  }

  void limitSessions(unsigned most) { gst_rtsp_session_pool_set_max_sessions(sessions_, most); }

  void setMulticast(const std::optional<RtspMulticast>& wish) {
    if (!exchangeMulticast(wish)) return;
    // Nobody sends to the old address any more.
    closeWhere([](GstRTSPClient* client) { return transportOf(client).kind == "multicast"; });
  }

  template <typename Predicate>
  int closeWhere(Predicate mustGo) {
    return plain_.closeWhere(mustGo) + secure_.closeWhere(mustGo);
  }

  std::string clients() {
    std::string list;
    for (Listener* listener : {&plain_, &secure_}) {
      GList* all = gst_rtsp_server_client_filter(listener->server(), nullptr, nullptr);
      for (GList* each = all; each != nullptr; each = each->next) {
        if (!list.empty()) list += ',';
        list += describe(GST_RTSP_CLIENT(each->data), listener == &secure_);
      }
      g_list_free_full(all, g_object_unref);
    }
    return "[" + list + "]";
  }

 private:
  Server()
      : context_(g_main_context_new()),
        mounts_(newRenditionMounts()),
        sessions_(gst_rtsp_session_pool_new()),
        threads_(gst_rtsp_thread_pool_new()),
        plain_(context_, mounts_, sessions_, threads_),
        secure_(context_, mounts_, sessions_, threads_) {
    // A few threads serve everybody: viewers are many and have little to say.
    gst_rtsp_thread_pool_set_max_threads(threads_, 2);
    GSource* tidy = g_timeout_source_new_seconds(tidyEverySeconds);
    g_source_set_callback(
        tidy,
        [](gpointer data) -> gboolean {
          auto* server = static_cast<Server*>(data);
          gst_rtsp_session_pool_cleanup(server->sessions_);
          enforceRtspAccess();
          return G_SOURCE_CONTINUE;
        },
        this, nullptr);
    g_source_attach(tidy, context_);
    g_source_unref(tidy);
    g_thread_unref(g_thread_new(
        "obscura-rtsp",
        [](gpointer data) -> gpointer {
          auto* context = static_cast<GMainContext*>(data);
          g_main_context_push_thread_default(context);
          g_main_loop_run(g_main_loop_new(context, FALSE));
          return nullptr;
        },
        context_));
  }

  GstRTSPMediaFactory* factoryAt(const std::string& path) {
    return gst_rtsp_mount_points_match(mounts_, path.c_str(), nullptr);
  }

  void mount(const std::string& path, const std::string& launch) {
    GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
    gst_rtsp_media_factory_set_launch(factory, launch.c_str());
    gst_rtsp_media_factory_set_shared(factory, TRUE);
    gst_rtsp_media_factory_set_profiles(
        factory, static_cast<GstRTSPProfile>(GST_RTSP_PROFILE_AVP | GST_RTSP_PROFILE_AVPF));
    g_object_set_data_full(G_OBJECT(factory), lastMediaName, new LastMedia(),
                           [](gpointer data) { delete static_cast<LastMedia*>(data); });
    g_signal_connect(factory, "media-configure", G_CALLBACK(onMedia), nullptr);
    gst_rtsp_mount_points_add_factory(mounts_, path.c_str(), factory);
  }

  /** False where there are too many already. Shared by all who ask for the same; gone when nobody plays it. */
  bool addRendition(const std::string& path, const std::string& suffix) {
    const std::lock_guard<std::mutex> hold(mountsLock_);
    const auto base = launches_.find(path);
    // What is not there is told by the library.
    if (base == launches_.end() || renditions_.count(path + suffix) > 0) return true;
    const std::int64_t now = g_get_monotonic_time();
    removeRenditions([this, now](const std::string& each, std::int64_t since) {
      return now - since > renditionSettlesUs && !isPlayed(each);
    });
    if (renditions_.size() >= mostRenditions) return false;
    mount(path + suffix, renditionLaunch(base->second, suffix));
    renditions_[path + suffix] = now;
    GstRTSPMediaFactory* factory = factoryAt(path + suffix);
    offerMulticast(factory);
    g_object_unref(factory);
    return true;
  }

  bool isPlayed(const std::string& path) {
    GstRTSPMediaFactory* factory = factoryAt(path);
    auto* media = static_cast<GstRTSPMedia*>(g_weak_ref_get(&lastMediaOf(factory)->media));
    g_object_unref(factory);
    if (media == nullptr) return false;
    g_object_unref(media);
    return true;
  }

  /** The paths whose viewers have to go. */
  std::vector<std::string> exchangeMounts(const std::vector<RtspMount>& wanted) {
    const std::lock_guard<std::mutex> hold(mountsLock_);
    std::map<std::string, std::string> next;
    for (const auto& [path, launch] : wanted) next[path] = launch;
    std::vector<std::string> gone;
    for (const auto& [path, launch] : launches_) {
      const auto found = next.find(path);
      if (found != next.end() && found->second == launch) continue;
      gst_rtsp_mount_points_remove_factory(mounts_, path.c_str());
      gone.push_back(path);
      const std::string start = path + "@";
      removeRenditions([&start](const std::string& each, std::int64_t) { return each.rfind(start, 0) == 0; });
    }
    for (const auto& [path, launch] : next) {
      const auto found = launches_.find(path);
      if (found == launches_.end() || found->second != launch) mount(path, launch);
    }
    launches_ = std::move(next);
    eachFactory([this](GstRTSPMediaFactory* factory) { offerMulticast(factory); });
    return gone;
  }

  /** Whether it is another now. */
  bool exchangeMulticast(const std::optional<RtspMulticast>& wish) {
    const std::lock_guard<std::mutex> hold(mountsLock_);
    if (wish == multicast_) return false;
    multicast_ = wish;
    g_clear_object(&addresses_);
    if (wish.has_value()) {
      addresses_ = gst_rtsp_address_pool_new();
      const auto port = static_cast<guint16>(wish->port);
      if (!gst_rtsp_address_pool_add_range(addresses_, wish->address.c_str(), wish->address.c_str(), port,
                                           static_cast<guint16>(port + multicastPorts - 1),
                                           static_cast<guint8>(wish->ttl))) {
        g_clear_object(&addresses_);
        multicast_.reset();
        throw std::runtime_error(wish->address + " is not an address for many");
      }
    }
    eachFactory([this](GstRTSPMediaFactory* factory) { offerMulticast(factory); });
    return true;
  }

  template <typename Predicate>
  void removeRenditions(Predicate mustGo) {
    for (auto each = renditions_.begin(); each != renditions_.end();)
      if (mustGo(each->first, each->second)) {
        gst_rtsp_mount_points_remove_factory(mounts_, each->first.c_str());
        each = renditions_.erase(each);
      } else {
        ++each;
      }
  }

  template <typename Act>
  void eachFactory(Act act) {
    for (const auto& [path, launch] : launches_) {
      GstRTSPMediaFactory* factory = factoryAt(path);
      if (factory == nullptr) continue;
      act(factory);
      g_object_unref(factory);
    }
  }

  /** Also to those who come to a stream that is playing. */
  void offerMulticast(GstRTSPMediaFactory* factory) {
    const auto ways = static_cast<GstRTSPLowerTrans>(GST_RTSP_LOWER_TRANS_UDP | GST_RTSP_LOWER_TRANS_TCP |
                                                     (addresses_ == nullptr ? 0 : GST_RTSP_LOWER_TRANS_UDP_MCAST));
    const std::string interface = multicast_.has_value() ? multicast_->interface : "";
    const gchar* over = interface.empty() ? nullptr : interface.c_str();
    gst_rtsp_media_factory_set_protocols(factory, ways);
    gst_rtsp_media_factory_set_address_pool(factory, addresses_);
    gst_rtsp_media_factory_set_multicast_iface(factory, over);
    auto* media = static_cast<GstRTSPMedia*>(g_weak_ref_get(&lastMediaOf(factory)->media));
    if (media == nullptr) return;
    gst_rtsp_media_set_protocols(media, ways);
    gst_rtsp_media_set_address_pool(media, addresses_);
    gst_rtsp_media_set_multicast_iface(media, over);
    g_object_unref(media);
  }

  static std::string describe(GstRTSPClient* client, bool isSecure) {
    const Facts* facts = factsOf(client);
    Json json;
    json.set("id", facts == nullptr ? 0 : facts->id)
        .set("since", facts == nullptr ? std::int64_t{0} : facts->since)
        .set("user", userOf(client))
        .set("path", pathOf(client))
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

  GMainContext* context_;
  GstRTSPMountPoints* mounts_;
  GstRTSPSessionPool* sessions_;
  GstRTSPThreadPool* threads_;
  Listener plain_;
  Listener secure_;
  /** Of what follows: viewers add to it from threads of their own. */
  std::mutex mountsLock_;
  std::map<std::string, std::string> launches_;
  /** With the time since when. */
  std::map<std::string, std::int64_t> renditions_;
  std::optional<RtspMulticast> multicast_;
  GstRTSPAddressPool* addresses_ = nullptr;
};

GstRTSPStatusCode beforeDescribe(GstRTSPClient* client, GstRTSPContext* context, gpointer) {
  return context->uri == nullptr ? GST_RTSP_STS_OK : Server::instance().prepareToDescribe(client, context->uri);
}

}  // namespace

void listenForRtsp(const std::string& address, int port) { Server::instance().listen(address, port); }

void listenForRtsps(const std::string& address, int port, const std::string& certificate, const std::string& key) {
  Server::instance().listenSecurely(address, port, certificate, key);
}

void setRtspMounts(const std::vector<RtspMount>& mounts) { Server::instance().setMounts(mounts); }

void limitRtspSessions(unsigned most) { Server::instance().limitSessions(most); }

void setRtspMulticast(const std::optional<RtspMulticast>& wish) { Server::instance().setMulticast(wish); }

void enforceRtspAccess() {
  const int closed = Server::instance().closeWhere([](GstRTSPClient* client) { return !mayStay(client); });
  if (closed > 0) tell(Json().set("event", "rtsp-withdrawn").set("clients", closed));
}

std::string rtspClients() { return Server::instance().clients(); }

bool kickRtspClient(std::uint64_t id) {
  return Server::instance().closeWhere([id](GstRTSPClient* client) {
           const Facts* facts = factsOf(client);
           return facts != nullptr && facts->id == id;
         }) > 0;
}

}  // namespace obscura
