// Node 18 has Web Crypto, but not where browsers and newer versions have it. Import this before the clients.

import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;
