#include "events.h"

#include <napi.h>

#include <memory>
#include <mutex>
#include <string>

namespace obscura {
namespace {

std::mutex lock;
Napi::ThreadSafeFunction* listener = nullptr;

void deliver(Napi::Env env, Napi::Function callback, std::string* text) {
  const std::unique_ptr<std::string> owned(text);
  if (env == nullptr || callback == nullptr) return;
  callback.Call({Napi::String::New(env, *owned)});
}

}  // namespace

void listen(const Napi::Function& callback) {
  const std::lock_guard<std::mutex> hold(lock);
  if (listener != nullptr) listener->Release();
  delete listener;
  listener = new Napi::ThreadSafeFunction(
      Napi::ThreadSafeFunction::New(callback.Env(), callback, "obscura events", 0, 1));
  // What is told must not keep the process alive.
  listener->Unref(callback.Env());
}

void tell(const Json& event) {
  const std::lock_guard<std::mutex> hold(lock);
  if (listener == nullptr) return;
  auto text = std::make_unique<std::string>(event.text());
  if (listener->NonBlockingCall(text.get(), deliver) == napi_ok) text.release();
}

}  // namespace obscura
