drop function feed_changes, feed_streams;
