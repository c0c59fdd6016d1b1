import { useInfiniteQuery, useQuery } from "@tanstack/react-query";

interface Page<T> {
  items: T[];
  next?: string | null;
}

/** A keyset list, page by page: `load(after)` reads one page. Fits `QueryView` and `LoadMore`. */
export function usePages<T>(key: readonly unknown[], load: (after: string | undefined) => Promise<Page<T>>) {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => load(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const { data, error, isPending, hasNextPage, isFetchingNextPage } = query;
  return {
    data: data?.pages.flatMap((page) => page.items),
    error,
    isPending,
    refetch: () => query.refetch(),
    more: { shown: data?.pages.reduce((sum, page) => sum + page.items.length, 0) ?? 0, hasMore: hasNextPage, busy: isFetchingNextPage, onMore: () => void query.fetchNextPage() },
  };
}

/** A short list (values of one KPI, roles of one person) that is only useful as a whole. */
export async function everyPage<T>(load: (after: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for (let after: string | undefined; ; ) {
    const page = await load(after);
    items.push(...page.items);
    if (!page.next) return items;
    after = page.next;
  }
}

export function useEveryPage<T>(key: readonly unknown[], load: (after: string | undefined) => Promise<Page<T>>, enabled = true) {
  return useQuery({ queryKey: key, queryFn: () => everyPage(load), enabled });
}
