export declare function still(): () => void;
