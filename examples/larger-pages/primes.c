/* Compiled by record.sh, under valgrind: it includes nothing, so that the trace is the compiler's. */
enum { N = 4096 };
static unsigned char sieve[N];

static unsigned count_primes(void) {
  unsigned count = 0;
  for (unsigned i = 2; i < N; i++) {
    if (sieve[i]) continue;
    count++;
    for (unsigned j = i * i; j < N; j += i) sieve[j] = 1;
  }
  return count;
}

static unsigned gcd(unsigned a, unsigned b) { return b ? gcd(b, a % b) : a; }

static void sort(unsigned *from, unsigned *end) {
  while (from < end) {
    unsigned pivot = *from, *low = from, *high = end;
    while (low <= high) {
      while (*low < pivot) low++;
      while (*high > pivot) high--;
      if (low > high) break;
      unsigned kept = *low;
      *low++ = *high;
      *high-- = kept;
    }
    sort(from, high);
    from = low;
  }
}

int main(void) {
  static unsigned numbers[N];
  unsigned seed = count_primes();
  for (unsigned i = 0; i < N; i++) numbers[i] = seed = seed * 1664525u + 1013904223u;
  sort(numbers, numbers + N - 1);
  return (int)(gcd(numbers[0], numbers[N - 1]) & 127);
}
