"""A dictionary of 50,000 words, made and looked up in another order."""
N = 50_000
words = {f"word{i * 7919 % N}": i for i in range(N)}
print(sum(words[f"word{i * 104729 % N}"] for i in range(N)))
