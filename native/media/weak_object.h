// An object of GLib's that somebody else owns and that may be gone.
#pragma once

#include <glib-object.h>

namespace obscura {

template <typename Type>
class WeakObject {
 public:
  explicit WeakObject(gpointer object = nullptr) { g_weak_ref_init(&reference_, object); }
  ~WeakObject() { g_weak_ref_clear(&reference_); }
  WeakObject(const WeakObject&) = delete;
  WeakObject& operator=(const WeakObject&) = delete;

  void set(gpointer object) { g_weak_ref_set(&reference_, object); }
  /** The caller owns what it gets, which is nothing where the object has gone. */
  Type* get() { return static_cast<Type*>(g_weak_ref_get(&reference_)); }

 private:
  GWeakRef reference_;
};

}  // namespace obscura
