// The interface of the plugins of these tests.
#pragma once

#include <string>

class Greeter {
 public:
  virtual ~Greeter() = default;
  virtual std::string greet() const = 0;
};
