#include "freshet/api.h"
