#include "graph.h"

#include <map>
#include <memory>
#include <vector>

#include "json.h"

namespace obscura {
namespace {

struct Unref {
  void operator()(gpointer object) const { gst_object_unref(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref>;

/** Takes over the text of GLib; nothing becomes an empty one. */
std::string taken(gchar* text) {
  const std::string copy = text == nullptr ? "" : text;
  g_free(text);
  return copy;
}

/** References to all in a list of GStreamer that changes only under the lock of its holder. */
template <typename T>
std::vector<Owned<T>> snapshot(gpointer holder, GList* const& list) {
  std::vector<Owned<T>> all;
  GST_OBJECT_LOCK(holder);
  for (GList* item = list; item != nullptr; item = item->next)
    all.emplace_back(static_cast<T*>(gst_object_ref(item->data)));
  GST_OBJECT_UNLOCK(holder);
  return all;
}

struct Member {
  Owned<GstElement> element;
  std::string group;
};

void collect(GstBin* bin, const std::string& group, std::vector<Member>& members) {
  auto children = snapshot<GstElement>(bin, bin->children);
  // Bins keep what was added last in front.
  for (auto child = children.rbegin(); child != children.rend(); ++child) {
    GstElement* element = child->get();
    if (!GST_IS_BIN(element) || GST_BIN_NUMCHILDREN(element) == 0) {
      members.push_back({std::move(*child), group});
      continue;
    }
    const std::string name = taken(gst_object_get_name(GST_OBJECT(element)));
    collect(GST_BIN(element), group.empty() ? name : group + "/" + name, members);
  }
}

/** As people write it in a launch text; empty where it has no text. */
std::string valueText(const GValue* value) {
  if (G_VALUE_HOLDS_OBJECT(value)) return "";
  if (G_VALUE_HOLDS_STRING(value)) return taken(g_value_dup_string(value));
  if (GST_VALUE_HOLDS_CAPS(value)) {
    const GstCaps* caps = gst_value_get_caps(value);
    return caps == nullptr ? "" : taken(gst_caps_to_string(caps));
  }
  return taken(gst_value_serialize(value));
}

std::string changedProperties(GstElement* element) {
  Json changed;
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count);
  for (guint index = 0; index < count; index += 1) {
    GParamSpec* spec = specs[index];
    // What cannot be written is a figure, not a choice; `last-sample` would even bring a whole picture.
    if ((spec->flags & G_PARAM_READWRITE) != G_PARAM_READWRITE || g_str_equal(spec->name, "name")) continue;
    GValue value = G_VALUE_INIT;
    g_value_init(&value, spec->value_type);
    g_object_get_property(G_OBJECT(element), spec->name, &value);
    const std::string text = g_param_value_defaults(spec, &value) ? "" : valueText(&value);
    if (!text.empty()) changed.set(spec->name, text);
    g_value_unset(&value);
  }
  g_free(specs);
  return changed.text();
}

/** The pad at the other end, past the pads that only lead through the walls of bins; nothing where it is open. */
Owned<GstPad> farEnd(GstPad* pad) {
  Owned<GstPad> peer(gst_pad_get_peer(pad));
  while (peer && GST_IS_PROXY_PAD(peer.get())) {
    const Owned<GstProxyPad> inner(gst_proxy_pad_get_internal(GST_PROXY_PAD(peer.get())));
    peer.reset(inner ? gst_pad_get_peer(GST_PAD(inner.get())) : nullptr);
  }
  return peer;
}

std::string currentCaps(GstPad* pad) {
  GstCaps* caps = gst_pad_get_current_caps(pad);
  if (caps == nullptr) return "";
  const std::string text = taken(gst_caps_to_string(caps));
  gst_caps_unref(caps);
  return text;
}

void append(std::string& list, const Json& item) {
  if (!list.empty()) list += ',';
  list += item.text();
}

}  // namespace

std::string describeGraph(GstBin* pipeline) {
  std::vector<Member> members;
  collect(pipeline, "", members);
  std::map<GstElement*, int> indexes;
  for (const auto& member : members) indexes.emplace(member.element.get(), static_cast<int>(indexes.size()));

  std::string elements;
  std::string links;
  for (const auto& [held, group] : members) {
    GstElement* element = held.get();
    GstElementFactory* factory = gst_element_get_factory(element);
    append(elements, Json()
                         .set("name", taken(gst_object_get_name(GST_OBJECT(element))))
                         .set("factory", factory == nullptr ? "" : GST_OBJECT_NAME(factory))
                         .set("state", gst_element_state_get_name(GST_STATE(element)))
                         .set("group", group)
                         .setRaw("properties", changedProperties(element)));
    for (const auto& pad : snapshot<GstPad>(element, element->srcpads)) {
      const auto far = farEnd(pad.get());
      const Owned<GstElement> target(far ? gst_pad_get_parent_element(far.get()) : nullptr);
      const auto found = indexes.find(target.get());
      if (found == indexes.end()) continue;
      append(links, Json()
                        .set("from", indexes[element])
                        .set("to", found->second)
                        .set("fromPad", taken(gst_object_get_name(GST_OBJECT(pad.get()))))
                        .set("toPad", taken(gst_object_get_name(GST_OBJECT(far.get()))))
                        .set("caps", currentCaps(pad.get())));
    }
  }
  const std::string dot = taken(gst_debug_bin_to_dot_data(
      pipeline, static_cast<GstDebugGraphDetails>(GST_DEBUG_GRAPH_SHOW_MEDIA_TYPE |
                                                  GST_DEBUG_GRAPH_SHOW_NON_DEFAULT_PARAMS |
                                                  GST_DEBUG_GRAPH_SHOW_STATES)));
  return Json().set("dot", dot).setRaw("elements", "[" + elements + "]").setRaw("links", "[" + links + "]").text();
}

}  // namespace obscura
