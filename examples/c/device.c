/*
 * A device that sends a reading every few seconds over HTTP, in C with libcurl 7.66 or newer.
 *
 * Build it and run it against `npm start`, with the token that it printed:
 *
 *     make -C examples/c                  (Debian: apt-get install gcc make libcurl4-openssl-dev)
 *     DEVICE_TOKEN=trb_... examples/c/device
 *
 * Readings wait in a ring in memory until they were answered 202. A device with a disk would rather keep them
 * there, as examples/python/spool.py does. More settings: see examples/README.md.
 */
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RING = 1024, BODY = 256, LONGEST_WAIT_MS = 300000 };
/*
 * A device may send 5 messages a second unless its limits were raised. A backlog goes out slower than that: what
 * comes too fast is answered 202 and then quarantined as RATE_LIMITED.
 */
enum { PACE_MS = 250 };

/* The text is made once, with `ts` and `seq`: a resend is the same bytes, and so the same message. */
struct reading {
  long long seq;
  char body[BODY];
};

static struct reading ring[RING];
static size_t oldest, waiting;
static long long next_seq = 1, lost;
static volatile sig_atomic_t stopped;

static void stop(int signal) { (void)signal; stopped = 1; }

static long long now_ms(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static const char *setting(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value != NULL && *value != '\0' ? value : otherwise;
}

/* A full ring gives up its oldest reading, and says so in the new one. */
static void measure(const char *site) {
  if (waiting == RING) {
    oldest = (oldest + 1) % RING;
    waiting--;
    lost++;
  }
  struct reading *reading = &ring[(oldest + waiting) % RING];
  waiting++;
  reading->seq = next_seq++;
  snprintf(reading->body, BODY,
           "{\"site_id\":\"%s\",\"ts\":%lld,\"seq\":%lld,\"metrics\":{\"temp_c\":%.2f,\"readings_lost\":%lld}}",
           site, now_ms(CLOCK_REALTIME), reading->seq, 20 + (rand() % 300) / 100.0, lost);
}

/* The beginning of the last answer: a refusal says why. */
static char answer[512];

static size_t keep_answer(char *data, size_t size, size_t count, void *unused) {
  (void)unused;
  size_t room = sizeof answer - 1 - strlen(answer);
  strncat(answer, data, size * count < room ? size * count : room);
  return size * count;
}

/* One attempt. Returns the status, 0 for no answer, and Retry-After in seconds, 0 for none. */
static long post(CURL *curl, const struct reading *reading, curl_off_t *retry_after_s) {
  long status = 0;
  *retry_after_s = 0;
  answer[0] = '\0';
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, reading->body);
  CURLcode result = curl_easy_perform(curl);
  if (result != CURLE_OK) {
    fprintf(stderr, "reading %lld: %s\n", reading->seq, curl_easy_strerror(result));
    return 0;
  }
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, retry_after_s);
  if (status != 202) fprintf(stderr, "reading %lld: %ld %s\n", reading->seq, status, answer);
  return status;
}

/* Sends the oldest reading; returns how long to wait before the next attempt, in ms. */
static long long send_oldest(CURL *curl, int *attempt) {
  curl_off_t retry_after_s;
  long status = post(curl, &ring[oldest], &retry_after_s);
  switch (status) {
    case 202: /* Durable. Only now may we forget it. */
      break;
    case 400: case 404: case 405: case 413: case 415:
      /* The same again would be refused again, and hold up the others. */
      fprintf(stderr, "refused for good: %s\n", ring[oldest].body);
      lost++;
      break;
    case 401: case 403: /* Our token is wrong or we are revoked: only a person can mend that. */
      return LONGEST_WAIT_MS;
    default: { /* 503, 429, no answer: it may have been stored or not, so the same reading again. */
      if (retry_after_s > 0) return retry_after_s * 1000;
      long long most = 1000LL << (*attempt < 6 ? *attempt : 6);
      (*attempt)++;
      return rand() % most;
    }
  }
  *attempt = 0;
  oldest = (oldest + 1) % RING;
  waiting--;
  return PACE_MS;
}

static struct curl_slist *headers_of(const char *token) {
  char header[512];
  snprintf(header, sizeof header, "X-Provision-Token: %s", token);
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  return curl_slist_append(headers, header);
}

int main(void) {
  const char *token = setting("DEVICE_TOKEN", NULL);
  if (token == NULL) {
    fputs("set DEVICE_TOKEN to the device's token\n", stderr);
    return 1;
  }
  const long long interval_ms = (long long)(atof(setting("INTERVAL_S", "5")) * 1000);
  const long long count = atoll(setting("COUNT", "0")); /* stop after so many readings; 0: never */
  char url[512];
  snprintf(url, sizeof url, "%s/ingest/v1/tenant/%s/device/%s/telemetry",
           setting("INGEST_URL", "http://127.0.0.1:8080"), setting("TENANT_ID", "demo"),
           setting("DEVICE_ID", "demo-1"));

  /* A fleet that was switched on together must not wait in step. */
  srand((unsigned)(now_ms(CLOCK_REALTIME) ^ getpid()));
  signal(SIGINT, stop);
  signal(SIGTERM, stop);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURL *curl = curl_easy_init();
  struct curl_slist *headers = headers_of(token);
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_answer);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 10000L);

  long long taken = 0, next_reading = now_ms(CLOCK_MONOTONIC), next_send = next_reading;
  int attempt = 0;
  while (!stopped && (count == 0 || taken < count || waiting > 0)) {
    if (now_ms(CLOCK_MONOTONIC) >= next_reading && (count == 0 || taken < count)) {
      measure(setting("SITE_ID", "site-1"));
      taken++;
      next_reading = now_ms(CLOCK_MONOTONIC) + interval_ms;
    }
    if (waiting > 0 && now_ms(CLOCK_MONOTONIC) >= next_send) {
      const long long wait_ms = send_oldest(curl, &attempt);
      next_send = now_ms(CLOCK_MONOTONIC) + wait_ms;
    }
    usleep(20000);
  }
  if (waiting > 0) fprintf(stderr, "stopped with %zu readings not accepted\n", waiting);
  curl_slist_free_all(headers);
  curl_easy_cleanup(curl);
  curl_global_cleanup();
  return 0;
}
