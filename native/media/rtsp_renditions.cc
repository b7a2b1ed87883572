#include "rtsp_renditions.h"

#include <cstdlib>
#include <mutex>
#include <regex>

namespace obscura {
namespace {

constexpr const char* choiceName = "obscura-rendition";
constexpr int widest = 3840;
constexpr int highest = 2160;
constexpr int smallest = 64;
constexpr int fastest = 120;
/** kbit/s */
constexpr int lowestBitrate = 50;
constexpr int highestBitrate = 50'000;

struct Choice {
  std::string path;
  std::string suffix;
};

std::optional<int> whole(const std::string& text, int least, int most) {
  static const std::regex digits("[0-9]{1,6}");
  if (!std::regex_match(text, digits)) return std::nullopt;
  const int value = std::atoi(text.c_str());
  if (value < least || value > most) return std::nullopt;
  return value;
}

bool isSize(const std::string& text) {
  const auto cross = text.find('x');
  if (cross == std::string::npos) return false;
  const auto width = whole(text.substr(0, cross), smallest, widest);
  const auto height = whole(text.substr(cross + 1), smallest, highest);
  return width.has_value() && height.has_value() && *width % 2 == 0 && *height % 2 == 0;
}

struct Mounts {
  GstRTSPMountPoints parent;
};
struct MountsClass {
  GstRTSPMountPointsClass parent;
};
G_DEFINE_TYPE(Mounts, mounts, GST_TYPE_RTSP_MOUNT_POINTS)

gchar* makePath(GstRTSPMountPoints*, const GstRTSPUrl* url) {
  const std::string path = url->abspath == nullptr ? "" : url->abspath;
  const GstRTSPContext* context = gst_rtsp_context_get_current();
  const auto* choice =
      context == nullptr || context->client == nullptr
          ? nullptr
          : static_cast<const Choice*>(g_object_get_data(G_OBJECT(context->client), choiceName));
  if (choice == nullptr || path.rfind(choice->path, 0) != 0) return g_strdup(path.c_str());
  const std::string rest = path.substr(choice->path.size());
  // Of the stream itself or of a part of it, not of another that begins alike.
  if (!rest.empty() && rest[0] != '/') return g_strdup(path.c_str());
  return g_strdup((choice->path + choice->suffix + rest).c_str());
}

void mounts_class_init(MountsClass* type) { GST_RTSP_MOUNT_POINTS_CLASS(type)->make_path = makePath; }
void mounts_init(Mounts*) {}

}  // namespace

std::optional<RenditionWish> readRendition(const gchar* query) {
  std::string size = "-";
  std::string rate = "-";
  std::string bitrate = "-";
  bool isOk = true;
  gchar** members = g_strsplit(query == nullptr ? "" : query, "&", -1);
  for (gchar** member = members; *member != nullptr; member += 1) {
    const std::string text = *member;
    const auto equals = text.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = text.substr(0, equals);
    const std::string value = text.substr(equals + 1);
    if (name == "resolution") {
      isOk = isOk && isSize(value);
      size = value;
    } else if (name == "fps") {
      isOk = isOk && whole(value, 1, fastest).has_value();
      rate = value;
    } else if (name == "bitrate") {
      isOk = isOk && whole(value, lowestBitrate, highestBitrate).has_value();
      bitrate = value;
    }
  }
  g_strfreev(members);
  if (!isOk) return std::nullopt;
  if (size == "-" && rate == "-" && bitrate == "-") return RenditionWish{};
  return RenditionWish{"@" + size + "@" + rate + "@" + bitrate};
}

std::string renditionLaunch(const std::string& launch, const std::string& suffix) {
  static const std::regex channel("(channel=[^ ]+)");
  return std::regex_replace(launch, channel, "$1" + suffix, std::regex_constants::format_first_only);
}

GstRTSPMountPoints* newRenditionMounts() {
  return GST_RTSP_MOUNT_POINTS(g_object_new(mounts_get_type(), nullptr));
}

void rememberRendition(GstRTSPClient* client, const std::string& path, const std::string& suffix) {
  auto* choice = suffix.empty() ? nullptr : new Choice{path, suffix};
  g_object_set_data_full(G_OBJECT(client), choiceName, choice, [](gpointer data) { delete static_cast<Choice*>(data); });
}

}  // namespace obscura
