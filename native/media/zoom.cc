#include "zoom.h"

#include <gst/video/gstvideofilter.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <string>

namespace obscura {
namespace {

/** Parts of the width and the height. */
struct Region {
  double x = 0;
  double y = 0;
  double width = 1;
  double height = 1;

  bool isWhole() const { return width >= 1 && height >= 1; }
  bool operator==(const Region& other) const {
    return x == other.x && y == other.y && width == other.width && height == other.height;
  }
};

struct Zoom {
  GstVideoFilter parent;
  std::mutex* lock;
  Region* wanted;
  /** What scales, and the region it was made for; only touched by the thread that frames come on. */
  GstVideoConverter* scaler;
  Region* scaled;
};
struct ZoomClass {
  GstVideoFilterClass parent;
};

G_DEFINE_TYPE(Zoom, zoom, GST_TYPE_VIDEO_FILTER)

/** One property for all four: whoever moves the region never shows half of a move. */
constexpr guint propertyRegion = 1;

Zoom* self(gpointer object) { return reinterpret_cast<Zoom*>(object); }

Region wantedRegion(Zoom* zoom) {
  const std::lock_guard<std::mutex> hold(*zoom->lock);
  return *zoom->wanted;
}

void dropScaler(Zoom* zoom) {
  if (zoom->scaler != nullptr) gst_video_converter_free(zoom->scaler);
  zoom->scaler = nullptr;
}

/** Two pixels share a colour. */
gint even(double value) { return static_cast<gint>(value / 2 + 0.5) * 2; }

GstVideoConverter* makeScaler(const Region& region, GstVideoInfo* info) {
  const gint width = std::clamp(even(region.width * info->width), 2, info->width);
  const gint height = std::clamp(even(region.height * info->height), 2, info->height);
  GstStructure* config = gst_structure_new(
      "scaler", GST_VIDEO_CONVERTER_OPT_SRC_X, G_TYPE_INT, std::min(even(region.x * info->width), info->width - width),
      GST_VIDEO_CONVERTER_OPT_SRC_Y, G_TYPE_INT, std::min(even(region.y * info->height), info->height - height),
      GST_VIDEO_CONVERTER_OPT_SRC_WIDTH, G_TYPE_INT, width, GST_VIDEO_CONVERTER_OPT_SRC_HEIGHT, G_TYPE_INT, height,
      GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD, GST_TYPE_VIDEO_RESAMPLER_METHOD, GST_VIDEO_RESAMPLER_METHOD_LINEAR,
      nullptr);
  return gst_video_converter_new(info, info, config);
}

GstFlowReturn transform(GstVideoFilter* filter, GstVideoFrame* in, GstVideoFrame* out) {
  Zoom* zoom = self(filter);
  const Region region = wantedRegion(zoom);
  if (zoom->scaler == nullptr || !(region == *zoom->scaled)) {
    dropScaler(zoom);
    zoom->scaler = makeScaler(region, &filter->in_info);
    *zoom->scaled = region;
  }
  if (zoom->scaler == nullptr) return GST_FLOW_NOT_SUPPORTED;
  gst_video_converter_frame(zoom->scaler, in, out);
  return GST_FLOW_OK;
}

/** Frames of another size need another scaler. */
gboolean setInfo(GstVideoFilter* filter, GstCaps*, GstVideoInfo*, GstCaps*, GstVideoInfo*) {
  dropScaler(self(filter));
  return TRUE;
}

void setProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  if (id != propertyRegion) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    return;
  }
  const gchar* text = g_value_get_string(value);
  double numbers[4] = {0, 0, 1, 1};
  // Not sscanf: what a decimal point is must not depend on the language of the system.
  gchar* end = const_cast<gchar*>(text == nullptr ? "" : text);
  for (double& number : numbers) {
    if (*end == '\0') break;
    number = std::clamp(g_ascii_strtod(end, &end), 0.0, 1.0);
  }
  const Region region{numbers[0], numbers[1], numbers[2], numbers[3]};
  {
    const std::lock_guard<std::mutex> hold(*self(object)->lock);
    *self(object)->wanted = region;
  }
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(object), region.isWhole());
}

void getProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (id != propertyRegion) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    return;
  }
  const Region region = wantedRegion(self(object));
  std::string text;
  for (const double number : {region.x, region.y, region.width, region.height}) {
    gchar digits[G_ASCII_DTOSTR_BUF_SIZE];
    text += (text.empty() ? "" : " ") + std::string(g_ascii_formatd(digits, sizeof(digits), "%.6g", number));
  }
  g_value_set_string(value, text.c_str());
}

void finalize(GObject* object) {
  dropScaler(self(object));
  delete self(object)->scaled;
  delete self(object)->wanted;
  delete self(object)->lock;
  G_OBJECT_CLASS(zoom_parent_class)->finalize(object);
}

GstStaticPadTemplate sinkTemplate = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("NV12")));
GstStaticPadTemplate srcTemplate = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("NV12")));

void zoom_class_init(ZoomClass* type) {
  GObjectClass* object = G_OBJECT_CLASS(type);
  object->set_property = setProperty;
  object->get_property = getProperty;
  object->finalize = finalize;
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object, propertyRegion,
      g_param_spec_string("region", "Region", "Left, top, width and height as parts of the picture: 0 0 1 1 is all",
                          "0 0 1 1", flags));
  GstElementClass* element = GST_ELEMENT_CLASS(type);
  gst_element_class_add_static_pad_template(element, &sinkTemplate);
  gst_element_class_add_static_pad_template(element, &srcTemplate);
  gst_element_class_set_static_metadata(element, "Zoom", "Filter/Effect/Video",
                                        "Shows a part of NV12 frames in the size of the whole", "Obscura");
  GST_VIDEO_FILTER_CLASS(type)->transform_frame = transform;
  GST_VIDEO_FILTER_CLASS(type)->set_info = setInfo;
}

void zoom_init(Zoom* zoom) {
  zoom->lock = new std::mutex();
  zoom->wanted = new Region();
  zoom->scaled = new Region();
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(zoom), TRUE);
}

}  // namespace

bool registerZoom() { return gst_element_register(nullptr, "nv12zoom", GST_RANK_NONE, zoom_get_type()) == TRUE; }

}  // namespace obscura
