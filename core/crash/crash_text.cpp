#include "crash/crash_text.h"

namespace freshet::core {

bool CrashText::put(char byte) {
  CrashArea* const area = area_.load(std::memory_order_relaxed);
  if (area == nullptr || at_ >= CrashArea::kTextBytes) return false;
  area->text[at_++] = byte;
  return true;
}

CrashText& CrashText::field(std::string_view text) {
  if (!first_) put('\t');
  first_ = false;
  for (const char byte : text) put(static_cast<unsigned char>(byte) < 0x20 ? ' ' : byte);
  return *this;
}

CrashText& CrashText::field(std::uint64_t number, unsigned base) {
  char digits[24];
  std::size_t at = sizeof digits;
  do digits[--at] = "0123456789abcdef"[number % base];
  while ((number /= base) != 0);
  return field({digits + at, sizeof digits - at});
}

void CrashText::end_line() {
  first_ = true;
  CrashArea* const area = area_.load(std::memory_order_relaxed);
  if (put('\n')) area->used.store(static_cast<std::uint32_t>(at_), std::memory_order_release);
}

}  // namespace freshet::core
