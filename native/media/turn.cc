#include "turn.h"

#include <gst/video/gstvideofilter.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cstddef>
#include <mutex>

namespace obscura {
namespace {

/** Clockwise, and then mirrored as it is seen. */
struct Way {
  int degrees = 0;
  bool leftToRight = false;
  bool upsideDown = false;

  bool swapsSides() const { return degrees % 180 != 0; }
  bool isNeutral() const { return degrees == 0 && !leftToRight && !upsideDown; }
};

struct Turn {
  GstVideoFilter parent;
  std::mutex* lock;
  Way* wanted;
  /** The last that fitted the sizes agreed on; only touched by the thread that frames come on. */
  Way* shown;
};
struct TurnClass {
  GstVideoFilterClass parent;
};

G_DEFINE_TYPE(Turn, turn, GST_TYPE_VIDEO_FILTER)

enum Property { propertyDegrees = 1, propertyLeftToRight, propertyUpsideDown };

/** Small enough for both sides of a tile to stay near the processor. */
constexpr int tile = 32;

Turn* self(gpointer object) { return reinterpret_cast<Turn*>(object); }

Way wantedWay(Turn* turn) {
  const std::lock_guard<std::mutex> hold(*turn->lock);
  return *turn->wanted;
}

/** Where in a plane of this size the pixel lies that is seen at x, y. */
std::ptrdiff_t placeOf(int x, int y, const Way& way, int width, int height, int stride) {
  const int seenWidth = way.swapsSides() ? height : width;
  const int seenHeight = way.swapsSides() ? width : height;
  if (way.leftToRight) x = seenWidth - 1 - x;
  if (way.upsideDown) y = seenHeight - 1 - y;
  int column = x;
  int row = y;
  if (way.degrees == 90) {
    column = y;
    row = height - 1 - x;
  } else if (way.degrees == 180) {
    column = width - 1 - x;
    row = height - 1 - y;
  } else if (way.degrees == 270) {
    column = width - 1 - y;
    row = x;
  }
  return static_cast<std::ptrdiff_t>(row) * stride + column;
}

/** Width, height and strides in pixels, of what comes in. */
template <typename Pixel>
void turnPlane(const void* from, int fromStride, void* to, int toStride, int width, int height, const Way& way) {
  const std::ptrdiff_t origin = placeOf(0, 0, way, width, height, fromStride);
  const std::ptrdiff_t right = placeOf(1, 0, way, width, height, fromStride) - origin;
  const std::ptrdiff_t down = placeOf(0, 1, way, width, height, fromStride) - origin;
  const int seenWidth = way.swapsSides() ? height : width;
  const int seenHeight = way.swapsSides() ? width : height;
  const Pixel* source = static_cast<const Pixel*>(from) + origin;
  for (int top = 0; top < seenHeight; top += tile)
    for (int left = 0; left < seenWidth; left += tile)
      for (int y = top; y < std::min(top + tile, seenHeight); y += 1) {
        Pixel* row = static_cast<Pixel*>(to) + static_cast<std::ptrdiff_t>(y) * toStride;
        for (int x = left; x < std::min(left + tile, seenWidth); x += 1) row[x] = source[x * right + y * down];
      }
}

/** What is wanted may be newer than the sizes that were agreed on; then what fitted before goes on for a frame. */
Way fittingWay(Turn* turn, const GstVideoInfo& in, const GstVideoInfo& out) {
  const Way wanted = wantedWay(turn);
  const bool isSwapped = in.width == out.height && in.height == out.width;
  const bool isSame = in.width == out.width && in.height == out.height;
  if (wanted.swapsSides() ? isSwapped : isSame) *turn->shown = wanted;
  return *turn->shown;
}

void beforeTransform(GstBaseTransform* base, GstBuffer*) {
  GstVideoFilter* filter = GST_VIDEO_FILTER(base);
  if (!filter->negotiated) return;
  // Here and nowhere else it may become true: no frame passes under the caps of turned ones.
  if (wantedWay(self(base)).isNeutral() && fittingWay(self(base), filter->in_info, filter->out_info).isNeutral())
    gst_base_transform_set_passthrough(base, TRUE);
}

GstFlowReturn transform(GstVideoFilter* filter, GstVideoFrame* in, GstVideoFrame* out) {
  const Way way = fittingWay(self(filter), in->info, out->info);
  const int width = GST_VIDEO_FRAME_WIDTH(in);
  const int height = GST_VIDEO_FRAME_HEIGHT(in);
  turnPlane<guint8>(GST_VIDEO_FRAME_PLANE_DATA(in, 0), GST_VIDEO_FRAME_PLANE_STRIDE(in, 0),
                    GST_VIDEO_FRAME_PLANE_DATA(out, 0), GST_VIDEO_FRAME_PLANE_STRIDE(out, 0), width, height, way);
  turnPlane<guint16>(GST_VIDEO_FRAME_PLANE_DATA(in, 1), GST_VIDEO_FRAME_PLANE_STRIDE(in, 1) / 2,
                     GST_VIDEO_FRAME_PLANE_DATA(out, 1), GST_VIDEO_FRAME_PLANE_STRIDE(out, 1) / 2, (width + 1) / 2,
                     (height + 1) / 2, way);
  return GST_FLOW_OK;
}

/** The same in both directions: width and height change places. */
GstCaps* transformCaps(GstBaseTransform* base, GstPadDirection, GstCaps* caps, GstCaps* filter) {
  GstCaps* turned = gst_caps_copy(caps);
  if (wantedWay(self(base)).swapsSides())
    for (guint index = 0; index < gst_caps_get_size(turned); index += 1) {
      GstStructure* structure = gst_caps_get_structure(turned, index);
      const GValue* width = gst_structure_get_value(gst_caps_get_structure(caps, index), "width");
      const GValue* height = gst_structure_get_value(gst_caps_get_structure(caps, index), "height");
      if (width == nullptr || height == nullptr) continue;
      gst_structure_set_value(structure, "width", height);
      gst_structure_set_value(structure, "height", width);
      gint across = 1;
      gint down = 1;
      if (gst_structure_get_fraction(structure, "pixel-aspect-ratio", &across, &down))
        gst_structure_set(structure, "pixel-aspect-ratio", GST_TYPE_FRACTION, down, across, nullptr);
    }
  if (filter == nullptr) return turned;
  GstCaps* common = gst_caps_intersect_full(filter, turned, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(turned);
  return common;
}

void setProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  Way way = wantedWay(self(object));
  const bool before = way.swapsSides();
  switch (id) {
    case propertyDegrees:
      way.degrees = g_value_get_int(value) / 90 * 90;
      break;
    case propertyLeftToRight:
      way.leftToRight = g_value_get_boolean(value) == TRUE;
      break;
    case propertyUpsideDown:
      way.upsideDown = g_value_get_boolean(value) == TRUE;
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      return;
  }
  {
    const std::lock_guard<std::mutex> hold(*self(object)->lock);
    *self(object)->wanted = way;
  }
  if (!way.isNeutral()) gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(object), FALSE);
  if (way.swapsSides() != before) gst_base_transform_reconfigure_src(GST_BASE_TRANSFORM(object));
}

void getProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const Way way = wantedWay(self(object));
  switch (id) {
    case propertyDegrees:
      g_value_set_int(value, way.degrees);
      break;
    case propertyLeftToRight:
      g_value_set_boolean(value, way.leftToRight);
      break;
    case propertyUpsideDown:
      g_value_set_boolean(value, way.upsideDown);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete self(object)->wanted;
  delete self(object)->shown;
  delete self(object)->lock;
  G_OBJECT_CLASS(turn_parent_class)->finalize(object);
}

GstStaticPadTemplate sinkTemplate = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("NV12")));
GstStaticPadTemplate srcTemplate = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("NV12")));

void turn_class_init(TurnClass* type) {
  GObjectClass* object = G_OBJECT_CLASS(type);
  object->set_property = setProperty;
  object->get_property = getProperty;
  object->finalize = finalize;
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object, propertyDegrees,
      g_param_spec_int("degrees", "Degrees", "By which the picture is turned clockwise: 0, 90, 180 or 270", 0, 270, 0,
                       flags));
  g_object_class_install_property(object, propertyLeftToRight,
                                  g_param_spec_boolean("left-to-right", "Left to right",
                                                       "Whether the turned picture is mirrored sideways", FALSE, flags));
  g_object_class_install_property(object, propertyUpsideDown,
                                  g_param_spec_boolean("upside-down", "Upside down",
                                                       "Whether it is mirrored from top to bottom", FALSE, flags));
  GstElementClass* element = GST_ELEMENT_CLASS(type);
  gst_element_class_add_static_pad_template(element, &sinkTemplate);
  gst_element_class_add_static_pad_template(element, &srcTemplate);
  gst_element_class_set_static_metadata(element, "Turn", "Filter/Effect/Video", "Turns and mirrors NV12 frames",
                                        "Obscura");
  GstBaseTransformClass* base = GST_BASE_TRANSFORM_CLASS(type);
  base->transform_caps = transformCaps;
  base->before_transform = beforeTransform;
  GST_VIDEO_FILTER_CLASS(type)->transform_frame = transform;
}

void turn_init(Turn* turn) {
  turn->lock = new std::mutex();
  turn->wanted = new Way();
  turn->shown = new Way();
}

}  // namespace

bool registerTurn() { return gst_element_register(nullptr, "nv12turn", GST_RANK_NONE, turn_get_type()) == TRUE; }

}  // namespace obscura
