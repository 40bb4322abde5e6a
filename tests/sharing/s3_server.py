"""A server that speaks S3's language on loopback, in a process of its own; prints its port."""

import sys
import time

from moto.server import ThreadedMotoServer

if __name__ == "__main__":
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdout.close()
    while True:
        time.sleep(3600)
