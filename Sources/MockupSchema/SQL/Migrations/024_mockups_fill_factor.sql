-- Pins and impressions update many mockups of a page at a time. With free space in the page, a new
-- version of a row stays there, and no index is updated (HOT). This applies to pages that are
-- filled from now on.
ALTER TABLE public.mockups SET (fillfactor = 70);
