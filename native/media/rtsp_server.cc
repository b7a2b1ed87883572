#include "rtsp_server.h"

#include <gst/rtsp-server/rtsp-server.h>

#include <atomic>
#include <stdexcept>

#include "events.h"
#include "loop_ping.h"
#include "rtsp_access.h"
#include "rtsp_clients.h"
#include "rtsp_mounts.h"
#include "rtsp_threads.h"

namespace obscura {
namespace {

constexpr guint tidyEverySeconds = 1;
/** A few serve everybody: viewers are many and have little to say. */
constexpr int clientThreads = 2;

GstRTSPStatusCode beforeDescribe(GstRTSPClient* client, GstRTSPContext* context, gpointer);
GstRTSPStatusCode beforeSetup(GstRTSPClient* client, GstRTSPContext* context, gpointer);
void onAnswer(GstRTSPClient* client, GstRTSPContext* context, GstRTSPMessage* answer, gpointer);

void onConnected(GstRTSPServer*, GstRTSPClient* client, gpointer) {
  welcomeRtspClient(client);
  g_signal_connect(client, "pre-describe-request", G_CALLBACK(beforeDescribe), nullptr);
  g_signal_connect(client, "pre-setup-request", G_CALLBACK(beforeSetup), nullptr);
  g_signal_connect(client, "send-message", G_CALLBACK(onAnswer), nullptr);
}

/** A GstRTSPServer that can change its port without letting go of anybody. */
class Listener {
 public:
  Listener(GMainContext* context, GstRTSPMountPoints* mounts, GstRTSPThreadPool* threads)
      : context_(context), server_(gst_rtsp_server_new()), authority_(newRtspAuthority()) {
    gst_rtsp_server_set_mount_points(server_, mounts);
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
      hangUpRtspClient(client);
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

  void setMounts(const std::vector<RtspMount>& wanted) {
    const std::vector<std::string> gone = mounts_.exchange(wanted);
    if (gone.empty()) return;
    closeWhere([&gone](GstRTSPClient* client) {
      const std::string path = rtspClientPath(client);
      for (const auto& each : gone)
        if (path == each || path.rfind(each + "/", 0) == 0) return true;
      return false;
    });
  }

  void limitSessions(unsigned most) { mostSessions_ = most; }

  bool hasRoom() {
    unsigned sessions = 0;
    eachClient([&sessions](GstRTSPClient* client, bool) { sessions += rtspClientSessions(client); });
    return sessions < mostSessions_;
  }

  void setMulticast(const std::optional<RtspMulticast>& wish) {
    if (!mounts_.exchangeMulticast(wish)) return;
    // Nobody sends to the old address any more.
    closeWhere([](GstRTSPClient* client) { return rtspClientTransport(client) == "multicast"; });
  }

  GstRTSPStatusCode prepareToDescribe(GstRTSPContext* context) { return mounts_.prepareToDescribe(context); }

  double loopLagMs() { return ping_.lagMs(); }

  template <typename Predicate>
  int closeWhere(Predicate mustGo) {
    return plain_.closeWhere(mustGo) + secure_.closeWhere(mustGo);
  }

  std::string clients() {
    std::string list;
    eachClient([&list](GstRTSPClient* client, bool isSecure) {
      if (!list.empty()) list += ',';
      list += describeRtspClient(client, isSecure);
    });
    return "[" + list + "]";
  }

  bool limitClient(std::uint64_t id, std::optional<std::uint64_t> bps) {
    bool isThere = false;
    eachClient([&isThere, id, bps](GstRTSPClient* client, bool) {
      if (rtspClientId(client) != id) return;
      isThere = true;
      limitRtspClient(client, bps);
    });
    return isThere;
  }

  std::string samples() {
    std::vector<std::string> all;
    eachClient([&all](GstRTSPClient* client, bool) { takeRtspSamples(client, all); });
    std::string list;
    for (const std::string& each : all) list += (list.empty() ? "" : ",") + each;
    return list.empty() ? "" : "[" + list + "]";
  }

 private:
  Server()
      : context_(g_main_context_new()),
        ping_(context_),
        threads_(newRtspThreads(clientThreads)),
        plain_(context_, mounts_.points(), threads_),
        secure_(context_, mounts_.points(), threads_) {
    GSource* tidy = g_timeout_source_new_seconds(tidyEverySeconds);
    g_source_set_callback(
        tidy,
        [](gpointer data) -> gboolean {
          static_cast<Server*>(data)->eachClient([](GstRTSPClient* client, bool) { tidyRtspClient(client); });
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

  template <typename Act>
  void eachClient(Act act) {
    for (Listener* listener : {&plain_, &secure_}) {
      GList* all = gst_rtsp_server_client_filter(listener->server(), nullptr, nullptr);
      for (GList* each = all; each != nullptr; each = each->next)
        act(GST_RTSP_CLIENT(each->data), listener == &secure_);
      g_list_free_full(all, g_object_unref);
    }
  }

  GMainContext* context_;
  LoopPing ping_;
  RtspMounts mounts_;
  std::atomic<unsigned> mostSessions_{10};
  GstRTSPThreadPool* threads_;
  Listener plain_;
  Listener secure_;
};

GstRTSPStatusCode beforeDescribe(GstRTSPClient*, GstRTSPContext* context, gpointer) {
  return context->uri == nullptr ? GST_RTSP_STS_OK : Server::instance().prepareToDescribe(context);
}

void onAnswer(GstRTSPClient* client, GstRTSPContext*, GstRTSPMessage*, gpointer) {
  RtspMounts::finishDescribing(client);
}

/** One more player, or another part of what one plays already. */
GstRTSPStatusCode beforeSetup(GstRTSPClient*, GstRTSPContext* context, gpointer) {
  return context->session != nullptr || Server::instance().hasRoom() ? GST_RTSP_STS_OK
                                                                     : GST_RTSP_STS_SERVICE_UNAVAILABLE;
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

double rtspLoopLag() { return Server::instance().loopLagMs(); }

std::string rtspClients() { return Server::instance().clients(); }

std::string rtspSamples() { return Server::instance().samples(); }

bool limitRtspClient(std::uint64_t id, std::optional<std::uint64_t> bps) {
  return Server::instance().limitClient(id, bps);
}

bool kickRtspClient(std::uint64_t id) {
  return Server::instance().closeWhere([id](GstRTSPClient* client) {
           return rtspClientId(client) == id;
         }) > 0;
}

}  // namespace obscura
