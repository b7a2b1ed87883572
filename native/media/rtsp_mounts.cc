#include "rtsp_mounts.h"

#include <gst/base/gstbasesink.h>

#include <memory>
#include <stdexcept>

#include "hubsrc.h"
#include "rtcp_desk.h"
#include "rtp_reports.h"
#include "rtsp_renditions.h"
#include "weak_object.h"

namespace obscura {
namespace {

/** Of the address for many, in pairs: one for each stream under each of its names. */
constexpr int multicastPorts = 16;
constexpr std::size_t mostRenditions = 4;
/** Until then one that nobody plays may still be on its way to somebody. */
constexpr std::int64_t renditionSettlesUs = 5 * G_USEC_PER_SEC;
constexpr const char* lastMediaName = "obscura-media";
/** Of a media that the factory gives to nobody any more. */
constexpr const char* goneName = "obscura-gone";
constexpr const char* holdName = "obscura-hold";
constexpr std::int64_t longestFarewellUs = 2 * G_USEC_PER_SEC;

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

/** The pipeline that a factory gave last, without keeping it. */
using LastMedia = WeakObject<GstRTSPMedia>;

LastMedia* lastMediaOf(GstRTSPMediaFactory* factory) {
  return static_cast<LastMedia*>(g_object_get_data(G_OBJECT(factory), lastMediaName));
}

GstRTSPThread* newThreadFor(GstRTSPContext* context) {
  GstRTSPThreadPool* threads = gst_rtsp_client_get_thread_pool(context->client);
  GstRTSPThread* thread = gst_rtsp_thread_pool_get_thread(threads, GST_RTSP_THREAD_TYPE_MEDIA, context);
  g_object_unref(threads);
  return thread;
}

/** Prepared once more, for as long as this is. */
class Hold {
 public:
  /** Nothing where it is being taken down. */
  static std::unique_ptr<Hold> on(GstRTSPMedia* media, GstRTSPContext* context) {
    if (gst_rtsp_media_get_status(media) == GST_RTSP_MEDIA_STATUS_UNPREPARING) return nullptr;
    // It takes the thread, whether it needs it or not.
    const bool isHeld = gst_rtsp_media_prepare(media, newThreadFor(context)) == TRUE;
    return isHeld ? std::make_unique<Hold>(media) : nullptr;
  }

  explicit Hold(GstRTSPMedia* media) : media_(GST_RTSP_MEDIA(g_object_ref(media))) {}
  ~Hold() {
    gst_rtsp_media_unprepare(media_);
    g_object_unref(media_);
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

 private:
  GstRTSPMedia* const media_;
};

void letGo(GstRTSPClient* client) { g_object_set_data(G_OBJECT(client), holdName, nullptr); }

/**
 * Whoever comes while the last viewer leaves would meet a pipeline that is being taken down, and be sent away. One that
 * is there is held until the answer is on its way, when the library has made it the newcomer's; one that is going is
 * waited for.
 */
void holdLastMedia(GstRTSPMediaFactory* factory, GstRTSPContext* context) {
  letGo(context->client);
  const std::int64_t until = g_get_monotonic_time() + longestFarewellUs;
  while (g_get_monotonic_time() < until) {
    GstRTSPMedia* media = lastMediaOf(factory)->get();
    if (media == nullptr) return;
    const bool isOfUse = g_object_get_data(G_OBJECT(media), goneName) == nullptr &&
                         gst_rtsp_media_get_status(media) != GST_RTSP_MEDIA_STATUS_ERROR;
    std::unique_ptr<Hold> hold = isOfUse ? Hold::on(media, context) : nullptr;
    g_object_unref(media);
    if (!isOfUse) return;
    if (hold != nullptr) {
      g_object_set_data_full(G_OBJECT(context->client), holdName, hold.release(),
                             [](gpointer data) { delete static_cast<Hold*>(data); });
      return;
    }
    g_usleep(1000);
  }
}

void onPrepared(GstRTSPMedia* media, gpointer) {
  GstElement* element = gst_rtsp_media_get_element(media);
  tellTimesOfCapture(element);
  gst_object_unref(element);
  RtcpDesk::listenTo(media);
}

void onUnprepared(GstRTSPMedia* media, gpointer) { g_object_set_data(G_OBJECT(media), goneName, media); }

void onMedia(GstRTSPMediaFactory* factory, GstRTSPMedia* media, gpointer) {
  lastMediaOf(factory)->set(media);
  // Until somebody plays it, what it reads goes nowhere.
  GstElement* element = gst_rtsp_media_get_element(media);
  setWatched(element, false);
  gst_object_unref(element);
  g_signal_connect(media, "prepared", G_CALLBACK(onPrepared), nullptr);
  // After the factory, which does the same.
  g_signal_connect_after(media, "unprepared", G_CALLBACK(onUnprepared), nullptr);
  sendWithoutWaiting(media);
  RtcpDesk::openFor(media);
}

}  // namespace

RtspMounts::RtspMounts() : points_(newRenditionMounts()) {}

GstRTSPMediaFactory* RtspMounts::factoryAt(const std::string& path) {
  return gst_rtsp_mount_points_match(points_, path.c_str(), nullptr);
}

void RtspMounts::mount(const std::string& path, const std::string& launch) {
  GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(factory, launch.c_str());
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  // Two profiles would be two media in the description, and players would look for the picture of each.
  gst_rtsp_media_factory_set_profiles(factory, GST_RTSP_PROFILE_AVP);
  g_object_set_data_full(G_OBJECT(factory), lastMediaName, new LastMedia(),
                         [](gpointer data) { delete static_cast<LastMedia*>(data); });
  g_signal_connect(factory, "media-configure", G_CALLBACK(onMedia), nullptr);
  gst_rtsp_mount_points_add_factory(points_, path.c_str(), factory);
}

bool RtspMounts::isPlayed(const std::string& path) {
  GstRTSPMediaFactory* factory = factoryAt(path);
  GstRTSPMedia* media = lastMediaOf(factory)->get();
  g_object_unref(factory);
  if (media == nullptr) return false;
  g_object_unref(media);
  return true;
}

template <typename Predicate>
void RtspMounts::removeRenditions(Predicate mustGo) {
  for (auto each = renditions_.begin(); each != renditions_.end();)
    if (mustGo(each->first, each->second)) {
      gst_rtsp_mount_points_remove_factory(points_, each->first.c_str());
      each = renditions_.erase(each);
    } else {
      ++each;
    }
}

bool RtspMounts::addRendition(const std::string& path, const std::string& suffix) {
  const std::lock_guard<std::mutex> hold(lock_);
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

void RtspMounts::offerMulticast(GstRTSPMediaFactory* factory) {
  const auto ways = static_cast<GstRTSPLowerTrans>(GST_RTSP_LOWER_TRANS_UDP | GST_RTSP_LOWER_TRANS_TCP |
                                                   (addresses_ == nullptr ? 0 : GST_RTSP_LOWER_TRANS_UDP_MCAST));
  const std::string interface = multicast_.has_value() ? multicast_->interface : "";
  const gchar* over = interface.empty() ? nullptr : interface.c_str();
  gst_rtsp_media_factory_set_protocols(factory, ways);
  gst_rtsp_media_factory_set_address_pool(factory, addresses_);
  gst_rtsp_media_factory_set_multicast_iface(factory, over);
  GstRTSPMedia* media = lastMediaOf(factory)->get();
  if (media == nullptr) return;
  gst_rtsp_media_set_protocols(media, ways);
  gst_rtsp_media_set_address_pool(media, addresses_);
  gst_rtsp_media_set_multicast_iface(media, over);
  g_object_unref(media);
}

std::vector<std::string> RtspMounts::exchange(const std::vector<RtspMount>& wanted) {
  const std::lock_guard<std::mutex> hold(lock_);
  std::map<std::string, std::string> next;
  for (const auto& [path, launch] : wanted) next[path] = launch;
  std::vector<std::string> gone;
  for (const auto& [path, launch] : launches_) {
    const auto found = next.find(path);
    if (found != next.end() && found->second == launch) continue;
    gst_rtsp_mount_points_remove_factory(points_, path.c_str());
    gone.push_back(path);
    const std::string start = path + "@";
    removeRenditions([&start](const std::string& each, std::int64_t) { return each.rfind(start, 0) == 0; });
  }
  for (const auto& [path, launch] : next) {
    const auto found = launches_.find(path);
    if (found == launches_.end() || found->second != launch) mount(path, launch);
  }
  launches_ = std::move(next);
  offerMulticastToAll();
  return gone;
}

bool RtspMounts::exchangeMulticast(const std::optional<RtspMulticast>& wish) {
  const std::lock_guard<std::mutex> hold(lock_);
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
  offerMulticastToAll();
  return true;
}

GstRTSPStatusCode RtspMounts::prepareToDescribe(GstRTSPContext* context) {
  const auto wish = readRendition(context->uri->query);
  if (!wish.has_value()) return GST_RTSP_STS_BAD_REQUEST;
  const std::string path = context->uri->abspath;
  if (!wish->suffix.empty() && !addRendition(path, wish->suffix)) return GST_RTSP_STS_NOT_ENOUGH_BANDWIDTH;
  rememberRendition(context->client, path, wish->suffix);
  GstRTSPMediaFactory* factory = factoryAt(path + wish->suffix);
  if (factory == nullptr) return GST_RTSP_STS_OK;
  holdLastMedia(factory, context);
  g_object_unref(factory);
  return GST_RTSP_STS_OK;
}

void RtspMounts::finishDescribing(GstRTSPClient* client) { letGo(client); }

void RtspMounts::offerMulticastToAll() {
  for (const auto& [path, launch] : launches_) {
    GstRTSPMediaFactory* factory = factoryAt(path);
    if (factory == nullptr) continue;
    offerMulticast(factory);
    g_object_unref(factory);
  }
}

}  // namespace obscura
